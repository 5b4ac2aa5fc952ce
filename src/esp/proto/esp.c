/* esp.c - the packet format of RFC 4303 s2: SPI, sequence number, IV | payload, padding, trailer | ICV, and what of it
 * is authenticated how (RFC 4106 s5, RFC 4543 s3, RFC 7634 s2.1; RFC 4303 s2.2.1 for separate integrity). */
#include "esp/esn.h"
#include "esp/pad.h"
#include "esp/sa.h"
#include "wire/esp_hdr.h"
#include "wire/ip.h"

/* AEAD: SPI | [high half] | low half; the high half lies in the middle. (GMAC's context adds the IV itself.) */
static void aad_for_aead(const struct esp_sa *sa, struct esp_frame *f, const uint8_t *header,
                         struct crypt_job *job)
{
    job->aad = header;
    job->aad_n = ESP_HDR_SIZE;
    if (!sa->esn)
        return;
    be32_put(f->aad, be32_get(header));
    be64_put(f->aad + 4, f->seq);
    job->aad = f->aad;
    job->aad_n = ESP_HDR_SIZE + 4;
}

/* Separate integrity: the high half follows the packet, invisibly. */
static void aad_for_integ(const struct esp_sa *sa, struct esp_frame *f, const uint8_t *header,
                          struct crypt_job *job)
{
    job->aad = header;
    job->aad_n = ESP_HDR_SIZE;
    if (!sa->esn)
        return;
    be32_put(f->aad, (uint32_t)(f->seq >> 32));
    job->tail = f->aad;
    job->tail_n = 4;
}

/* The job for n octets of plaintext or ciphertext behind header and IV. */
static void describe(const struct esp_sa *sa, struct esp_frame *f, uint8_t *header, uint32_t n,
                     struct crypt_job *job)
{
    uint8_t *iv = header + ESP_HDR_SIZE, *data = iv + sa->iv;
    *job = (struct crypt_job){ .data = data, .n = n, .iv = sa->iv ? iv : f->iv, .icv = data + n };
    if (sa->integ)
        aad_for_integ(sa, f, header, job);
    else
        aad_for_aead(sa, f, header, job);
}

static void seal(struct esp_sa *sa, struct esp_frame *f, struct crypt_job *job)
{
    uint32_t before = ESP_HDR_SIZE + sa->iv;
    uint8_t *header = f->payload - before;
    uint32_t n = f->n + pad_put(f->payload + f->n, pad_size(f->n, sa->align), f->next_header);
    esp_hdr_put(header, sa->out.spi, (uint32_t)f->seq);
    if (sa->encr->nonce_iv)
        crypt_iv(sa->out.crypt, f->seq, sa->iv ? header + ESP_HDR_SIZE : f->iv);
    describe(sa, f, header, n, job);
    f->pkt->off = (uint32_t)(header - f->pkt->buf);
    f->pkt->len = before + n + sa->icv;
}

static bool find_sequence(const struct esp_sa *sa, uint32_t low, uint64_t *seq)
{
    *seq = low;
    return !sa->esn || esn_guess(sa->window.top, sa->window.size, low, seq);
}

static enum esp_verdict open(struct esp_sa *sa, struct esp_frame *f, struct crypt_job *job)
{
    uint8_t *header = f->pkt->buf + f->pkt->off;
    uint32_t around = ESP_HDR_SIZE + sa->iv + (uint32_t)sa->icv;
    if (f->pkt->len < around + PAD_TRAILER_SIZE || (f->pkt->len - around) % sa->encr->block)
        return ESP_MALFORMED;
    if (!find_sequence(sa, be32_get(header + 4), &f->seq) || !replay_check(&sa->window, f->seq))
        return ESP_REPLAY;
    f->payload = header + ESP_HDR_SIZE + sa->iv;
    f->n = f->pkt->len - around;
    if (!sa->iv) /* RFC 8750: the number itself */
        be64_put(f->iv, f->seq);
    describe(sa, f, header, f->n, job);
    return ESP_OK;
}

static enum esp_verdict unpad(struct esp_sa *sa, struct esp_frame *f)
{
    struct adit_span payload;
    if (!pad_get(span(f->payload, f->n), &payload, &f->next_header))
        return ESP_MALFORMED;
    f->n = (uint32_t)payload.n;
    return f->next_header == IP_PROTO_NO_NEXT ? ESP_DUMMY : ESP_OK; /* s2.6: whatever it holds */
}

const struct esp_proto esp_proto_esp = {
    .ip_proto = IP_PROTO_ESP,
    .header_n = ESP_HDR_SIZE,
    .trailer_n = PAD_TRAILER_SIZE,
    .seal = seal,
    .open = open,
    .unpad = unpad,
};
