/* test_bigpayload.c - who says that it can, and what follows from both having said so. Whole hosts: sim_bigpayload.c. */
#include "../ike/core.h"

static void is_registered_with_its_document(void **state)
{
    const struct ike_ext *ext = ike_exts[EXT_bigpayload];
    assert_string_equal(ext->name, "bigpayload");
    assert_string_equal(ext->spec, "draft-nir-ipsecme-big-payload");
}

static void agree(struct ike_sa *sa, bool big, bool fragments, bool ours)
{
    uint32_t bits = (big ? 1u << EXT_bigpayload : 0) | (fragments ? 1u << EXT_frag : 0);
    sa->announced_me = sa->announced_peer = bits;
    sa->peer_private = ours;
    sa->keyed = true;
}

/* Without fragments no long payload could leave; numbers for private use count only beside the Vendor ID. */
static void the_dialect_takes_all_three(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    for (unsigned i = 0; i < 8; i++) {
        agree(sa, i & 1, i & 2, i & 4);
        assert_int_equal(sa_payload_format(sa), i == 7 ? PAYLOAD_RESERVED23 : PAYLOAD_RFC7296);
    }
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_registered_with_its_document),
        cmocka_unit_test(the_dialect_takes_all_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
