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

static void contradictions_are_refused_with_words(void **state)
{
    static const struct {
        const char *what, *ways[2], *key, *value, *key2, *value2, *says;
    } rows[] = {
        { "nothing said", { NULL, NULL }, "encap", "yes", NULL, NULL, NULL },
        { "one way for all", { "udp", "any" }, "encap", "yes", "ike_transport", "tcp", NULL },
        { "two ways", { "udp", "raw" }, NULL, NULL, NULL, NULL, "'second': esp_transport = raw, but another child has udp" },
        { "TCP beside UDP", { "tcp", NULL }, "ike_transport", "udp", NULL, NULL, "contradicts ike_transport = udp" },
        { "TCP if it comes to it", { "tcp", NULL }, "ike_transport", "auto", NULL, NULL, NULL },
        { "TCP and apart", { NULL, "tcp" }, "septransport", "yes", NULL, NULL, "'second'" },
        { "raw and not apart", { "raw", "raw" }, "septransport", "no", "ike_transport", "tcp", "septransport = no" },
        { "raw with UDP", { "raw", NULL }, "septransport", "no", "ike_transport", "udp", NULL },
        { "raw in UDP", { "raw", NULL }, "encap", "yes", NULL, NULL, "contradicts encap = yes" },
        { "UDP unexpected", { "udp", NULL }, "nat_traversal", "no", NULL, NULL, "contradicts nat_traversal = no" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_option way[2] = { { "esp_transport", rows[i].ways[0] }, { "esp_transport", rows[i].ways[1] } };
        struct adit_option of_conn[2] = { { rows[i].key, rows[i].value }, { rows[i].key2, rows[i].value2 } };
        struct adit_child_cfg children[2] = { { .name = "first", .n_options = rows[i].ways[0] != NULL, .options = &way[0] },
                                              { .name = "second", .n_options = rows[i].ways[1] != NULL, .options = &way[1] } };
        struct adit_conn conn = { .name = "c", .n_children = 2, .children = children,
                                  .n_options = (uint16_t)((rows[i].key != NULL) + (rows[i].key2 != NULL)), .options = of_conn };
        struct adit_why why = { 0 };
        assert_row(rows[i].what, on()->check(&conn, &why) == (rows[i].says ? ADIT_ERR_CONFIG : ADIT_OK));
        assert_row(rows[i].what, !rows[i].says || strstr(why.text, rows[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(esp_has_its_own_place),
        cmocka_unit_test(without_agreement_esp_goes_by_tcp),
        cmocka_unit_test(only_a_peer_behind_a_translator_is_followed),
        cmocka_unit_test(a_new_address_is_learned_anew),
        cmocka_unit_test(contradictions_are_refused_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
