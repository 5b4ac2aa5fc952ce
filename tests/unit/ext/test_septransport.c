/* test_septransport.c - where ESP goes, and whom it follows there (draft-ietf-ipsecme-ikev2-reliable-transport). */
#include "../ike/core.h"
#include "ike/ext/septransport/septransport.h"

static const struct ike_hooks *on(void)
{
    return &ike_exts[EXT_septransport]->on;
}

/* An SA by TCP; both sides have announced it, and know who is behind a translator. */
static struct ike_sa *made(struct ike *ike, bool tcp, bool nat_local, bool nat_remote)
{
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_nat_view view = { .seen = true, .local = nat_local, .remote = nat_remote };
    uint32_t both = 1u << EXT_septransport | 1u << EXT_natt;
    sa->announced_me = sa->announced_peer = both;
    sa->path.tcp = tcp;
    sa->path.local.port = 40000;
    ike_nat()->set(sa, &view);
    return sa;
}

static struct adit_child_spec spec_of(struct ike_sa *sa)
{
    struct adit_child_spec spec;
    child_spec(core_child(sa), &spec);
    return spec;
}

static void esp_has_its_own_place(void **state)
{
    static const struct {
        const char *what;
        bool tcp, local, remote, apart, udp, waits, speaks;
    } rows[] = {
        { "nobody in between", true, false, false, true, false, false, false },
        { "we are behind a translator", true, true, false, true, true, false, true },
        { "the peer is: it speaks first", true, false, true, true, true, true, false },
        { "IKE by datagrams", false, false, false, false, false, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct adit_child_spec spec = spec_of(made(ike, rows[i].tcp, rows[i].local, rows[i].remote));
        assert_row(rows[i].what, !spec.path.tcp && (spec.path.local.port == 4500) == rows[i].apart);
        assert_row(rows[i].what, spec.udp_encap == rows[i].udp);
        assert_row(rows[i].what, (spec.outbound == ADIT_OUT_STANDBY) == rows[i].waits);
        assert_row(rows[i].what, (spec.shape.dummies == 1) == rows[i].speaks);
        core_free(ike);
    }
}

static void without_agreement_esp_goes_by_tcp(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = made(ike, true, true, false);
    sa->announced_peer = 1u << EXT_natt;
    struct adit_child_spec spec = spec_of(sa);
    assert_true(spec.path.tcp && !spec.udp_encap && spec.outbound == ADIT_OUT_ACTIVE && !spec.shape.dummies);
    core_free(ike);
}

static void only_a_peer_behind_a_translator_is_followed(void **state)
{
    static const struct {
        const char *what;
        bool local, remote, by_ike, tcp, settled, follows;
    } rows[] = {
        { "behind a translator", false, true, false, false, true, true },
        { "not behind one", false, false, false, false, true, false },
        { "so are we", true, true, false, false, true, false },
        { "IKE is not ours to follow", false, true, true, false, false, false },
        { "nor is ESP by TCP", false, true, false, true, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = made(ike, true, rows[i].local, rows[i].remote);
        struct adit_path ike_path = sa->path, from = ike_path;
        from.tcp = rows[i].tcp;
        from.local.port = 4500;
        from.remote.port = 31000;
        assert_row(rows[i].what, on()->moved(sa, &from, rows[i].by_ike ? BY_IKE : BY_ESP) == rows[i].settled);
        assert_row(rows[i].what, path_equal(&sa->path, &ike_path));
        struct adit_child_spec spec = spec_of(sa);
        assert_row(rows[i].what, (spec.path.remote.port == 31000) == rows[i].follows);
        assert_row(rows[i].what, !rows[i].follows || spec.outbound == ADIT_OUT_ACTIVE);
        core_free(ike);
    }
}

/* It comes back from elsewhere: its old port is nobody's. */
static void a_new_address_is_learned_anew(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = made(ike, true, false, true);
    struct adit_path from = sa->path;
    from.tcp = false;
    from.remote.port = 31000;
    on()->moved(sa, &from, BY_ESP);
    sa->path.remote.addr.ip[3] = 77;
    struct adit_child_spec spec = spec_of(sa);
    assert_true(spec.path.remote.addr.ip[3] == 77 && spec.path.remote.port == 4500 && spec.outbound == ADIT_OUT_STANDBY);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(esp_has_its_own_place),
        cmocka_unit_test(without_agreement_esp_goes_by_tcp),
        cmocka_unit_test(only_a_peer_behind_a_translator_is_followed),
        cmocka_unit_test(a_new_address_is_learned_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
