/* log.c - lines for people, and the key log for Wireshark (only where the host asked for it). */
#include <stdarg.h>
#include <stdio.h>
#include "ike/sa.h"

static void add_line(struct ike *ike, const struct ike_sa *sa, enum adit_level level, const char *group, const char *text)
{
    bool passed_over = sa && sa->half_open && !ike_may_log_stranger(ike);
    struct adit_event *ev = passed_over ? NULL : event_add(ike, ADIT_EV_LOG);
    if (!ev)
        return;
    ev->level = level;
    ev->group = group;
    event_text(ike, ev, text);
    if (!sa)
        return;
    ev->ike_id = sa->id;
    const char *text_of_event = ev->text;
    event_text(ike, ev, sa_conn_name(sa)); /* the name is copied too: the SA may be gone when it is read */
    ev->conn = ev->text;
    ev->text = text_of_event;
}

void ike_log(struct ike *ike, const struct ike_sa *sa, enum adit_level level, const char *group, const char *fmt, ...)
{
    char text[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    add_line(ike, sa, level, group, text);
}

void sa_log(struct ike_sa *sa, enum adit_level level, const char *group, const char *fmt, ...)
{
    char text[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    add_line(sa->ike, sa, level, group, text);
}

static void keylog_line(struct ike *ike, const char *group, const struct strbuf *line)
{
    struct adit_event *ev = event_add(ike, ADIT_EV_KEYLOG);
    if (!ev)
        return;
    ev->group = group;
    event_text(ike, ev, line->p);
}

/* Names as Wireshark's ikev2_decryption_table wants them; the key length stands between the halves. */
static void wireshark_encr(struct strbuf *out, const struct adit_suite *s)
{
    static const struct {
        uint16_t id;
        const char *name, *rest;
    } rows[] = {
        { ENCR_AES_CBC, "AES-CBC", " [RFC3602]" },
        { ENCR_AES_CTR, "AES-CTR", " [RFC5930]" },
        { ENCR_AES_CCM_8, "AES-CCM", " with 8 octet ICV [RFC5282]" },
        { ENCR_AES_CCM_12, "AES-CCM", " with 12 octet ICV [RFC5282]" },
        { ENCR_AES_CCM_16, "AES-CCM", " with 16 octet ICV [RFC5282]" },
        { ENCR_AES_GCM_8, "AES-GCM", " with 8 octet ICV [RFC5282]" },
        { ENCR_AES_GCM_12, "AES-GCM", " with 12 octet ICV [RFC5282]" },
        { ENCR_AES_GCM_16, "AES-GCM", " with 16 octet ICV [RFC5282]" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].id == s->encr) {
            strbuf_addf(out, "%s-%u%s", rows[i].name, s->encr_bits, rows[i].rest);
            return;
        }
    strbuf_add(out, s->encr == ENCR_CHACHA20_POLY1305 ? "ChaCha20-Poly1305 [RFC7634]" : "NULL [RFC2410]");
}

static const char *wireshark_integ(const struct adit_suite *s)
{
    switch (s->integ) {
    case INTEG_HMAC_SHA2_256_128: return "HMAC_SHA2_256_128 [RFC4868]";
    case INTEG_HMAC_SHA2_384_192: return "HMAC_SHA2_384_192 [RFC4868]";
    case INTEG_HMAC_SHA2_512_256: return "HMAC_SHA2_512_256 [RFC4868]";
    default: return "NONE [RFC4306]";
    }
}

void keylog_ike(struct ike_sa *sa)
{
    if (!sa->ike->host.keylog)
        return;
    STRBUF(line, 1200);
    strbuf_addf(&line, "%016llx,%016llx,", (unsigned long long)sa->spi_i, (unsigned long long)sa->spi_r);
    strbuf_hex(&line, keys_e(&sa->keys, true));
    strbuf_add(&line, ",");
    strbuf_hex(&line, keys_e(&sa->keys, false));
    strbuf_add(&line, ",\"");
    wireshark_encr(&line, &sa->suite);
    strbuf_add(&line, "\",");
    strbuf_hex(&line, keys_a(&sa->keys, true));
    strbuf_add(&line, ",");
    strbuf_hex(&line, keys_a(&sa->keys, false));
    strbuf_addf(&line, ",\"%s\"", wireshark_integ(&sa->suite));
    keylog_line(sa->ike, "ike", &line);
    mem_wipe(line_mem, sizeof(line_mem));
}

static const char *esp_encr(const struct adit_suite *s)
{
    switch (s->encr) {
    case ENCR_AES_CBC: return "AES-CBC [RFC3602]";
    case ENCR_AES_CTR: return "AES-CTR [RFC3686]";
    case ENCR_AES_GCM_8: return "AES-GCM with 8 octet ICV [RFC4106]";
    case ENCR_AES_GCM_12: return "AES-GCM with 12 octet ICV [RFC4106]";
    case ENCR_AES_GCM_16: return "AES-GCM with 16 octet ICV [RFC4106]";
    case ENCR_CHACHA20_POLY1305: return "ChaCha20 with Poly1305 [RFC7634]";
    case ENCR_NULL: return "NULL";
    default: return NULL; /* Wireshark cannot decrypt it */
    }
}

static const char *esp_integ(const struct adit_suite *s)
{
    switch (s->integ) {
    case INTEG_HMAC_SHA2_256_128: return "HMAC-SHA-256-128 [RFC4868]";
    case INTEG_HMAC_SHA2_384_192: return "HMAC-SHA-384-192 [RFC4868]";
    case INTEG_HMAC_SHA2_512_256: return "HMAC-SHA-512-256 [RFC4868]";
    default: return "NULL";
    }
}

static void keylog_esp(struct ike *ike, const struct adit_child_spec *s, const struct adit_sa_keys *k, bool inbound)
{
    STRBUF(line, 600);
    const struct adit_addr *from = inbound ? &s->path.remote.addr : &s->path.local.addr;
    const struct adit_addr *to = inbound ? &s->path.local.addr : &s->path.remote.addr;
    if (!esp_encr(&s->suite))
        return;
    strbuf_addf(&line, "\"%s\",\"", from->family == 6 ? "IPv6" : "IPv4");
    addr_print(&line, from);
    strbuf_add(&line, "\",\"");
    addr_print(&line, to);
    strbuf_addf(&line, "\",\"0x%08x\",\"%s\",\"0x", k->spi, esp_encr(&s->suite));
    strbuf_hex(&line, k->encr);
    strbuf_addf(&line, "\",\"%s\",\"", esp_integ(&s->suite));
    if (k->integ.n)
        strbuf_add(&line, "0x");
    strbuf_hex(&line, k->integ);
    strbuf_addf(&line, "\",\"%s\"", s->suite.sn == SN_64_BIT_PARTIAL ? "64-bit" : "32-bit");
    keylog_line(ike, "esp", &line);
    mem_wipe(line_mem, sizeof(line_mem));
}

void keylog_child(struct ike_sa *sa, const struct adit_child_spec *spec)
{
    if (!sa->ike->host.keylog)
        return;
    keylog_esp(sa->ike, spec, &spec->in, true);
    keylog_esp(sa->ike, spec, &spec->out, false);
}
