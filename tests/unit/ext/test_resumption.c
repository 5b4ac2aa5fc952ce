/* test_resumption.c - tickets, what is remembered of them, what is kept of peers' tickets (RFC 5723). */
#include "../ike/core.h"
#include "ike/ext/resumption/resumption.h"

static const uint8_t salt[SALT_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static struct ticket_key key_of(uint8_t octet)
{
    struct ticket_key k = { .id = { octet } };
    assert_int_equal(secret_alloc(&k.secret, 32), ADIT_OK);
    k.secret.p[0] = octet;
    return k;
}

static void sealed(const struct adit_crypto *crypto, const struct ticket_key *key, struct adit_buf *out)
{
    assert_int_equal(ticket_seal(crypto, key, salt, 0x123456789, SPAN_LIT("the memo"), out), ADIT_OK);
    assert_int_equal(out->n, TICKET_OVERHEAD + 8);
}

static void a_ticket_opens_again(void **state)
{
    struct ike *ike = core_new();
    struct ticket_key keys[2] = { key_of(1), key_of(2) };
    struct adit_buf octets = { 0 };
    struct ticket t;
    for (int i = 0; i < 2; i++) {
        sealed(ike->host.crypto, &keys[i], &octets);
        assert_int_equal(ticket_open(ike->host.crypto, keys, 2, buf_span(&octets), &t), ADIT_OK);
        assert_true(span_equal(t.memo, SPAN_LIT("the memo")));
        assert_int_equal(t.expires, 0x123456789);
        assert_int_equal(t.id, 0x0102030405060708);
        ticket_fini(&t);
    }
    assert_int_equal(ticket_open(ike->host.crypto, keys, 1, buf_span(&octets), &t), ADIT_ERR_INTEGRITY);
    buf_fini(&octets);
    secret_fini(&keys[0].secret);
    secret_fini(&keys[1].secret);
    core_free(ike);
}

static void every_bit_is_protected(void **state)
{
    struct ike *ike = core_new();
    struct ticket_key key = key_of(1);
    struct adit_buf octets = { 0 };
    struct ticket t;
    sealed(ike->host.crypto, &key, &octets);
    for (size_t bit = 0; bit < 8 * octets.n; bit++) {
        octets.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(ticket_open(ike->host.crypto, &key, 1, buf_span(&octets), &t), ADIT_ERR_INTEGRITY);
        octets.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < octets.n; n++)
        assert_int_equal(ticket_open(ike->host.crypto, &key, 1, span(octets.p, n), &t), ADIT_ERR_INTEGRITY);
    buf_fini(&octets);
    secret_fini(&key.secret);
    core_free(ike);
}

/* The memo cannot be read without the key: nothing of it stands in the ticket. */
static void the_memo_is_encrypted(void **state)
{
    struct ike *ike = core_new();
    struct ticket_key key = key_of(1);
    struct adit_buf octets = { 0 };
    sealed(ike->host.crypto, &key, &octets);
    assert_null(memmem(octets.p, octets.n, "the memo", 4));
    buf_fini(&octets);
    secret_fini(&key.secret);
    core_free(ike);
}

static void the_oldest_used_one_is_forgotten(void **state)
{
    struct used u = { 0 };
    for (uint64_t id = 1; id <= TICKETS_USED + 3; id++) {
        assert_false(used_has(&u, id));
        used_add(&u, id, 5);
        used_add(&u, id, 5);
        assert_true(used_has(&u, id));
    }
    assert_false(used_has(&u, 3));
    assert_true(used_has(&u, 4));
    used_fini(&u);
}

static void put(struct stored **store, const char *conn, uint32_t owner, uint64_t expires)
{
    struct adit_buf ticket = { 0 };
    struct adit_secret memo = { 0 };
    assert_int_equal(buf_set(&ticket, span_str(conn)), ADIT_OK);
    assert_int_equal(secret_set(&memo, span_str(conn)), ADIT_OK);
    store_put(store, conn, owner, expires, &ticket, &memo);
}

static void one_ticket_a_connection(void **state)
{
    struct stored *store = NULL;
    put(&store, "one", 1, 10);
    put(&store, "two", 2, 20);
    store_find(store, "one")->lost = true;
    put(&store, "one", 3, 30);
    assert_int_equal(store_find(store, "one")->owner, 3);
    assert_false(store_find(store, "one")->lost);
    assert_null(store_find(store, "three"));
    store_expire(&store, 20);
    assert_null(store_find(store, "two"));
    store_drop(&store, store_find(store, "one"));
    assert_null(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_opens_again),
        cmocka_unit_test(every_bit_is_protected),
        cmocka_unit_test(the_memo_is_encrypted),
        cmocka_unit_test(the_oldest_used_one_is_forgotten),
        cmocka_unit_test(one_ticket_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
