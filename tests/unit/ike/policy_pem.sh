#!/bin/sh
# Makes policy_pem.h: two CAs, an intermediate one, end-entity certificates and keys for test_policy*.c, valid to 2126.
# policy_pem.sh > policy_pem.h; only needed if the set changes.
set -e
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/$1.key" 2>/dev/null; }
root() {
    key "$1"
    openssl req -x509 -new -key "$dir/$1.key" -subj "/C=CH/O=Adit/CN=$2" -days 36500 -sha256 -out "$dir/$1.pem" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"
}
issue() { # name subject issuer extensions
    key "$1"
    printf '%b' "$4" >"$dir/ext"
    openssl req -new -key "$dir/$1.key" -subj "$2" -out "$dir/csr"
    openssl x509 -req -in "$dir/csr" -CA "$dir/$3.pem" -CAkey "$dir/$3.key" -CAcreateserial -days 36500 -sha256 \
        -extfile "$dir/ext" -out "$dir/$1.pem" 2>/dev/null
}
root ca1 "First CA"
root ca2 "Second CA"
issue sub "/C=CH/O=Adit/CN=Sub CA" ca2 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n'
issue moon "/C=CH/O=Adit/CN=moon" ca1 'subjectAltName=DNS:moon.example,email:moon@example.org\n'
issue moon2 "/C=CH/O=Adit/CN=moon2" sub 'subjectAltName=DNS:moon.example\n'
issue sun "/C=CH/O=Adit/CN=sun" ca1 'subjectAltName=DNS:sun.example\n'
touch "$dir/index"
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\ndefault_md=sha256\n' "$dir" >"$dir/conf"
openssl ca -gencrl -config "$dir/conf" -cert "$dir/ca1.pem" -keyfile "$dir/ca1.key" -crldays 36500 -out "$dir/crl1.pem" 2>/dev/null
echo "/* policy_pem.h - certificates and keys of test_policy*.c, made by policy_pem.sh. The keys protect nothing. */"
echo "/* clang-format off */"
echo "#ifndef POLICY_PEM_H"
echo "#define POLICY_PEM_H"
echo
put() {
    echo "#define $1 \\"
    sed -e 's/.*/    "&\\n" \\/' -e '$s/ \\$//' "$2"
    echo
}
for name in ca1 ca2 sub moon moon2 sun; do put "PEM_$(echo $name | tr a-z A-Z)" "$dir/$name.pem"; done
for name in moon moon2; do put "PEM_$(echo $name | tr a-z A-Z)_KEY" "$dir/$name.key"; done
put PEM_CRL1 "$dir/crl1.pem"
echo "#endif"
