/* fuzz_ticket.c - a ticket that a stranger shows: opened only if it is ours, octet for octet. The first octet says what is done
 * to a good one: 0 = the input itself is the ticket, else it is laid over a good one from there on. */
#include <stdlib.h>
#include "ike/ext/resumption/resumption.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

static struct adit_crypto *crypto;
static struct ticket_key key = { .id = "12345678" };
static struct adit_buf good, shown;

static void prepare(void)
{
    static const uint8_t salt[SALT_SIZE] = { 1 };
    struct adit_why why;
    if (crypto)
        return;
    must((crypto = adit_crypto_new(NULL, NULL, &why)) && secret_alloc(&key.secret, 32) == ADIT_OK);
    must(ticket_seal(crypto, &key, salt, 99, SPAN_LIT("what is kept of an IKE SA"), &good) == ADIT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ticket t;
    prepare();
    if (!n)
        return 0;
    if (data[0] == 0) {
        must(buf_set(&shown, span(data + 1, n - 1)) == ADIT_OK);
    } else {
        must(buf_set(&shown, buf_span(&good)) == ADIT_OK);
        for (size_t i = 1; i < n && data[0] - 1u + i - 1 < shown.n; i++)
            shown.p[data[0] - 1u + i - 1] ^= data[i];
    }
    enum adit_rc rc = ticket_open(crypto, &key, 1, buf_span(&shown), &t);
    must((rc == ADIT_OK) == span_equal(buf_span(&shown), buf_span(&good)));
    must(rc != ADIT_OK || (t.expires == 99 && t.memo.n == 25));
    ticket_fini(&t);
    return 0;
}
