#!/usr/bin/env python3
"""Writes the seeds of fuzz_key, fuzz_sig_algid, fuzz_x509, fuzz_crl and fuzz_dn with the openssl program on PATH."""
import pathlib
import subprocess
import tempfile

corpus = pathlib.Path(__file__).parent / "corpus"


def put(target, name, data):
    (corpus / target).mkdir(parents=True, exist_ok=True)
    (corpus / target / name).write_bytes(data)


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def keys():
    ec = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    rsa = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    ed = openssl("genpkey", "-algorithm", "ED25519")
    put("key", "pkcs8.pem", ec)
    put("key", "sec1.der", openssl("ec", "-outform", "DER", data=ec))
    put("key", "pkcs1.pem", openssl("rsa", "-traditional", data=rsa))
    put("key", "pkcs8.der", openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", data=rsa))
    put("key", "encrypted.pem", openssl("pkcs8", "-topk8", "-iter", "1", "-passout", "pass:pass", data=ed))
    put("key", "spki.der", openssl("pkey", "-pubout", "-outform", "DER", data=ed))
    return ec


def algids():
    pss = ("304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
           "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120")
    trailer = pss.replace("3041", "3046", 1).replace("3034", "3039", 1) + "a303020101"
    for name, value in {"ed25519": "300506032b6570", "ecdsa": "300a06082a8648ce3d040302",
                        "pkcs1": "300d06092a864886f70d01010b0500", "pss": pss, "pss-trailer": trailer,
                        "pss-default": "300d06092a864886f70d01010a3000"}.items():
        put("sig_algid", name, bytes.fromhex(value))


def certs(key):
    with tempfile.TemporaryDirectory() as tmp:
        d = pathlib.Path(tmp)
        (d / "key").write_bytes(key)
        (d / "index").write_text("R\t330101000000Z\t260101000000Z\t01\tunknown\t/CN=x\n")
        (d / "conf").write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {d}/index\ndefault_md = sha256\n"
                                "[v3]\nbasicConstraints = critical,CA:TRUE,pathlen:1\nkeyUsage = keyCertSign,digitalSignature\n"
                                "extendedKeyUsage = serverAuth,1.3.6.1.5.5.7.3.17\nsubjectKeyIdentifier = hash\n"
                                "nameConstraints = permitted;DNS:example\ncrlDistributionPoints = URI:http://x.example/c\n"
                                "subjectAltName = DNS:moon.example,IP:192.0.2.1,IP:2001:db8::1,email:a@b.example,URI:urn:x,"
                                "dirName:dn\n[dn]\nCN = y\n[req]\ndistinguished_name = dn\n")
        pem = openssl("req", "-x509", "-new", "-key", str(d / "key"), "-days", "3650", "-config", str(d / "conf"),
                      "-extensions", "v3", "-subj", "/C=CH/O=Test/CN=moon.example")
        (d / "cert").write_bytes(pem)
        put("x509", "ca.pem", pem)
        put("x509", "ca.der", openssl("x509", "-outform", "DER", data=pem))
        crl = openssl("ca", "-gencrl", "-crldays", "3650", "-config", str(d / "conf"), "-keyfile", str(d / "key"), "-cert",
                      str(d / "cert"))
        put("crl", "list.pem", crl)
        put("crl", "list.der", openssl("crl", "-outform", "DER", data=crl))


def names():
    for i, text in enumerate(["C=CH, O=strongSwan, CN=moon.strongswan.org", "/C=CH/O=x, y/CN=*", "CN=a+UID=b, O=\"c, d\"",
                              "CN=a\\2Cb\\\\, E=a@b.example", "2.5.4.3=y, 1.2.3.4=Z\u00fcrich, DC=org"]):
        put("dn", f"text{i}", text.encode())
    put("dn", "der", bytes.fromhex("301c310b3009060355040613024348310d300b060355040313046d6f6f6e"))


algids()
names()
certs(keys())
