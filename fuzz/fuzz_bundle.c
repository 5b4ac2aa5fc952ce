/* fuzz_bundle.c - a bundle of certificates as a web server may give it (RFC 7296 s3.6), and the hash and URL as a peer may
 * send them. Input: 0 | bundle, or 1 | hash | URL. */
#include <stdlib.h>
#include <string.h>
#include "ike/ext/hashurl/hashurl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

static void bundle(struct adit_span in)
{
    struct adit_span out[8];
    struct adit_why why = { 0 };
    size_t n, octets = 0;
    if (pki_bundle_read(in, out, ARRAY_LEN(out), &n, &why) != ADIT_OK) {
        must(why.text[0]);
        return;
    }
    must(n > 0 && n <= ARRAY_LEN(out));
    for (size_t i = 0; i < n; i++) {
        must(out[i].p >= in.p && out[i].p + out[i].n <= in.p + in.n);
        must(!i || out[i].p >= out[i - 1].p + out[i - 1].n);
        octets += out[i].n;
    }
    must(octets + 2 * (n + 1) <= in.n);
}

static void url(struct adit_span in)
{
    struct hashurl h;
    struct adit_why why = { 0 };
    if (!hashurl_get(in, &h, &why)) {
        must(why.text[0]);
        return;
    }
    must(strlen(h.url) == in.n - HASHURL_SHA1 && strlen(h.url) <= HASHURL_URL_MAX);
    if (!hashurl_is_allowed(h.url, "http://pki.example/c/,http://b.example"))
        return;
    must(!strncmp(h.url, "http://pki.example/c/", 21) || !strncmp(h.url, "http://b.example/", 17));
    must(!strstr(h.url, "..") && !strstr(h.url, "%2e") && !strpbrk(h.url, " \r\n\\#"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n && data[0] == 0)
        bundle(span(data + 1, n - 1));
    else if (n)
        url(span(data + 1, n - 1));
    return 0;
}
