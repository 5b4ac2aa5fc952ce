/* dn.c - prints a distinguished name (X.501 Name in DER) for people. Encoding and matching are pki's. */
#include "base/rd.h"
#include "model/model.h"
#include "model/text.h"

static const struct dn_attribute {
    const char *name;
    struct adit_span oid; /* content octets */
} attributes[];
static const size_t num_attributes;

/* One DER element of a definite length of up to 65535 octets. */
static uint8_t element(struct rd *in, struct rd *body)
{
    uint8_t tag = rd_u8(in);
    size_t n = rd_u8(in);
    if (n == 0x81)
        n = rd_u8(in);
    else if (n == 0x82)
        n = rd_u16(in);
    else
        rd_require(in, n < 0x80, "DER length");
    *body = rd_sub(in, n);
    return tag;
}

static void print_type(struct strbuf *out, struct adit_span oid)
{
    for (size_t i = 0; i < num_attributes; i++) {
        if (span_equal(oid, attributes[i].oid)) {
            strbuf_add(out, attributes[i].name);
            return;
        }
    }
    strbuf_hex(out, oid);
}

static void print_value(struct strbuf *out, struct adit_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = (char)text.p[i];
        bool plain = c >= ' ' && c < 127;
        strbuf_addf(out, c == ',' || c == '\\' ? "\\%c" : "%c", plain ? c : '?');
    }
}

/* RelativeDistinguishedName: a set of type and value pairs. */
static void print_rdn(struct strbuf *out, struct rd *rdn, bool *first)
{
    while (rd_more(rdn)) {
        struct rd pair, oid, value;
        rd_require(rdn, element(rdn, &pair) == 0x30, "SEQUENCE expected");
        rd_require(&pair, element(&pair, &oid) == 0x06, "OBJECT IDENTIFIER expected");
        element(&pair, &value);
        rd_end(&pair);
        if (!rd_join(rdn, &pair))
            return;
        strbuf_add(out, *first ? "" : ", ");
        print_type(out, rd_rest(&oid));
        strbuf_add(out, "=");
        print_value(out, rd_rest(&value));
        *first = false;
    }
}

bool dn_print(struct strbuf *out, struct adit_span der)
{
    struct rd in = rd_init(der), name;
    bool first = true;
    rd_require(&in, element(&in, &name) == 0x30, "SEQUENCE expected");
    while (rd_ok(&in) && rd_more(&name)) {
        struct rd rdn;
        rd_require(&name, element(&name, &rdn) == 0x31, "SET expected");
        if (rd_ok(&name)) {
            print_rdn(out, &rdn, &first);
            rd_join(&name, &rdn);
        }
    }
    return rd_join(&in, &name) && rd_end(&in);
}

static const struct dn_attribute attributes[] = {
    { "CN", SPAN_LIT("\x55\x04\x03") },
    { "S", SPAN_LIT("\x55\x04\x04") },
    { "SN", SPAN_LIT("\x55\x04\x05") },
    { "C", SPAN_LIT("\x55\x04\x06") },
    { "L", SPAN_LIT("\x55\x04\x07") },
    { "ST", SPAN_LIT("\x55\x04\x08") },
    { "STREET", SPAN_LIT("\x55\x04\x09") },
    { "O", SPAN_LIT("\x55\x04\x0a") },
    { "OU", SPAN_LIT("\x55\x04\x0b") },
    { "T", SPAN_LIT("\x55\x04\x0c") },
    { "G", SPAN_LIT("\x55\x04\x2a") },
    { "I", SPAN_LIT("\x55\x04\x2b") },
    { "E", SPAN_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01") },
    { "UID", SPAN_LIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01") },
    { "DC", SPAN_LIT("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19") },
};
static const size_t num_attributes = ARRAY_LEN(attributes);
