/* test_standby.c - which Child SA sends when the one that does is about to go. */
#include "core.h"

/* What there is beside the one that goes, child 1 of the policy 7: a Child SA of another IKE SA with the same peer. */
struct other {
    uint32_t reqid;
    bool standby, redundant, deleted; /* redundant: the loser of two rekeyings; deleted: with its IKE SA */
};
static const struct row {
    const char *what;
    struct other other[2];
    unsigned begins; /* 1, 2: which; 0: none */
    bool relieved;
} rows[] = {
    { "nothing else", { { 0 }, { 0 } }, 0, false },
    { "it waits to send", { { 7, .standby = true }, { 0 } }, 1, true },
    { "another policy", { { 8, .standby = true }, { 0 } }, 0, false },
    { "the older of two that wait", { { 7, .standby = true }, { 7, .standby = true } }, 1, true },
    { "one sends already", { { 7, .standby = true }, { 7 } }, 0, true },
    { "the redundant one never sends", { { 7, .standby = true, .redundant = true }, { 7, .standby = true } }, 2, true },
    { "one that goes, too", { { 7, .standby = true, .deleted = true }, { 7, .standby = true } }, 2, true },
    { "one that sends, but goes, too", { { 7, .deleted = true }, { 7, .standby = true } }, 2, true },
};

static struct ike_sa *sa_of_the_peer(struct ike *ike)
{
    struct ike_sa *sa = core_sa(ike, true);
    peers_del(sa);
    assert_int_equal(buf_set(&sa->id_local, span_str("me..")), ADIT_OK);
    assert_int_equal(buf_set(&sa->id_remote, span_str("alice")), ADIT_OK);
    assert_int_equal(peers_add(sa), ADIT_OK);
    return sa;
}

static struct ike_child *child_of(struct ike *ike, const struct other *o)
{
    struct ike_sa *sa = sa_of_the_peer(ike);
    struct ike_child *c = core_child(sa);
    ring_del(&ike->by_reqid, &c->of_reqid);
    c->reqid = o->reqid;
    assert_int_equal(ring_add(&ike->by_reqid, &c->of_reqid, c->reqid), ADIT_OK);
    c->standby = o->standby;
    c->state = o->redundant ? ADIT_CHILD_REKEYED : ADIT_CHILD_INSTALLED;
    sa->state = o->deleted ? SA_DELETING : SA_ESTABLISHED;
    return c;
}

static void what_waits_begins(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct adit_event ev;
        struct ike_child *gone = child_of(ike, &(struct other){ 7 }), *c[2] = { 0 };
        for (int k = 0; k < 2; k++)
            c[k] = rows[i].other[k].reqid ? child_of(ike, &rows[i].other[k]) : NULL;
        core_drain(ike);
        assert_row(rows[i].what, standby_relieve(gone) == rows[i].relieved);
        bool begins = core_event(ike, ADIT_EV_CHILD_UPDATE, &ev);
        assert_row(rows[i].what, begins == (rows[i].begins != 0));
        if (begins)
            assert_row(rows[i].what, ev.child_id == c[rows[i].begins - 1]->id && ev.spec->outbound == ADIT_OUT_ACTIVE);
        core_free(ike);
    }
}

/* We delete the IKE SA: the data plane is told to send on the other one, though that may be older. */
static void what_we_delete_is_not_sent_on(void **state)
{
    struct ike *ike = core_new();
    struct adit_event ev;
    struct ike_child *other = child_of(ike, &(struct other){ 7, .standby = true });
    struct ike_child *gone = child_of(ike, &(struct other){ 7, .deleted = true });
    core_drain(ike);
    standby_relieve_all(gone->sa);
    assert_true(core_event(ike, ADIT_EV_CHILD_UPDATE, &ev));
    assert_true(ev.child_id == other->id && ev.spec->outbound == ADIT_OUT_ACTIVE);
    assert_true(core_event(ike, ADIT_EV_CHILD_UPDATE, &ev));
    assert_true(ev.child_id == gone->id && ev.spec->outbound == ADIT_OUT_LAST);
    assert_false(other->standby);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_begins),
        cmocka_unit_test(what_we_delete_is_not_sent_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
