/* test_persource.c - SA_RESOURCE_INFO's octets, SPIs that lead to a worker, and who may have one more (RFC 9611). */
#include "../ike/core.h"

static const struct ike_hooks *on(void)
{
    return &ike_exts[EXT_persource]->on;
}

/* A pending Child SA whose configuration has the option. */
struct fixture {
    struct ike *ike;
    struct ike_sa *sa;
    struct adit_child_cfg cfg;
    struct adit_option option[2];
    struct ike_pending *p;
};

static void setup(struct fixture *f, enum pending_kind kind, bool requester, const char *value)
{
    *f = (struct fixture){ .ike = core_new(), .option = { { "per_cpu_sas", value }, { "per_cpu_max", "2" } } };
    f->sa = core_sa(f->ike, true);
    f->cfg = (struct adit_child_cfg){ .name = "net", .options = f->option, .n_options = 2 };
    f->p = pending_new(f->sa, kind, requester);
    assert_non_null(f->p);
    f->p->cfg = &f->cfg;
}

static void done(struct fixture *f)
{
    pending_free(f->p);
    core_free(f->ike);
}

static void octets(void **state)
{
    static const struct {
        const char *what, *value;
        enum pending_kind kind;
        bool requester, shares;
        unsigned resource;
        size_t n;
        const char *octets;
    } rows[] = {
        { "request for the first", "yes", PENDING_NEW_CHILD, true, false, 0, 8, "\0\0\0\x08\0\0\x40\x3c" },
        { "request in IKE_AUTH", "yes", PENDING_FIRST_CHILD, true, false, 0, 8, "\0\0\0\x08\0\0\x40\x3c" },
        { "request for the third CPU's", "yes", PENDING_NEW_CHILD, true, true, 3, 12, "\0\0\0\x0c\0\0\x40\x3c\0\0\0\2" },
        { "answer", "yes", PENDING_NEW_CHILD, false, true, 0, 8, "\0\0\0\x08\0\0\x40\x3c" },
        { "answer to who has not asked", "yes", PENDING_NEW_CHILD, false, false, 0, 0, "" },
        { "rekeying", "yes", PENDING_REKEY_CHILD, true, true, 1, 0, "" },
        { "switched off", "no", PENDING_NEW_CHILD, true, false, 0, 0, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        uint8_t mem[64];
        struct wr w;
        setup(&f, rows[i].kind, rows[i].requester, rows[i].value);
        f.p->shares = rows[i].shares;
        f.p->resource = rows[i].resource;
        wr_init(&w, mem, sizeof(mem));
        wr_chain(&w);
        on()->child_put(f.p, &w);
        assert_row(rows[i].what, w.n == 1 + rows[i].n);
        assert_row(rows[i].what, !rows[i].n || (mem[0] == PLD_NOTIFY && !memcmp(mem + 1, rows[i].octets, rows[i].n)));
        done(&f);
    }
}

/* What is in it is the peer's affair. */
static void any_identifier_is_taken(void **state)
{
    static const struct adit_span bodies[] = { SPAN_LIT("\0\0\x40\x3c"), SPAN_LIT("\0\0\x40\x3c\0\0\0\7"),
                                               SPAN_LIT("\0\0\x40\x3c" "whatever it may be") };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        for (int requester = 0; requester < 2; requester++) {
            struct payload v = { .type = PLD_NOTIFY, .body = bodies[i] };
            struct ike_msg msg = { .n = 1, .v = &v }, none = { 0 };
            struct adit_why why;
            struct fixture f;
            setup(&f, PENDING_NEW_CHILD, requester, "yes");
            assert_int_equal(on()->child_get(f.p, &none, &why), ADIT_OK);
            assert_false(f.p->shares);
            assert_int_equal(on()->child_get(f.p, &msg, &why), ADIT_OK);
            assert_true(f.p->shares && f.p->resource == 0);
            done(&f);
        }
}

static void spis_lead_to_their_worker(void **state)
{
    struct ike *ike = core_new();
    for (unsigned n = 1; n <= 64; n += 7) {
        ike->host.resources = n;
        for (unsigned r = 1; r <= n; r++) {
            uint32_t spi = child_new_spi(ike, r);
            assert_true(spi > 255 && spi < 0x80000000 && spi % n == r - 1);
        }
    }
    ike->host.resources = 0; /* a host that tells nothing */
    assert_true(child_new_spi(ike, 1) > 255);
    core_free(ike);
}

/* Two of per_cpu_max = 2 are there: TS_MAX_QUEUE, never NO_ADDITIONAL_SAS. */
static void enough_is_told_as_such(void **state)
{
    struct payload v = { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\x40\x3c") };
    struct ike_msg msg = { .n = 1, .v = &v };
    struct adit_why why;
    struct fixture f;
    setup(&f, PENDING_NEW_CHILD, false, "yes");
    for (unsigned i = 0; i < 3; i++) {
        enum adit_rc rc = on()->child_get(f.p, &msg, &why);
        assert_int_equal(rc, i < 2 ? ADIT_OK : ADIT_ERR_QUEUE);
        assert_int_equal(f.p->resource, i == 0 ? 0 : 1);
        struct ike_child *c = core_child(f.sa);
        c->cfg = &f.cfg;
        c->n_local = c->n_remote = 0;
        c->mode = f.p->mode;
        c->suite = f.p->suite;
        c->shares = true;
        c->resource = i;
    }
    assert_int_equal(reply_notify(ADIT_ERR_QUEUE), N_TS_MAX_QUEUE);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(octets), cmocka_unit_test(any_identifier_is_taken),
                                        cmocka_unit_test(spis_lead_to_their_worker),
                                        cmocka_unit_test(enough_is_told_as_such) };
    return cmocka_run_group_tests_name("ext/persource", tests, NULL, NULL);
}
