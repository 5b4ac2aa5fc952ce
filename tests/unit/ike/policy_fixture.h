/* policy_fixture.h - snapshots for the tests of policies: connections, certificates and keys from one-line rows. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include "ike/policy.h"
#include "ike_fixture.h"
#include "policy_pem.h"

#define PEM(text) ((struct adit_span){ (const uint8_t *)(text), sizeof(text) - 1 })

static inline void add_cert(struct adit_config *cfg, enum adit_cert_use use, struct adit_span data,
                            const char *source)
{
    struct adit_cert cert = { .use = use, .data = data, .source = source };
    assert_int_equal(adit_config_add_cert(cfg, &cert), ADIT_OK);
}

static inline void add_key(struct adit_config *cfg, struct adit_span data, const char *source)
{
    struct adit_key key = { .data = data, .source = source };
    assert_int_equal(adit_config_add_key(cfg, &key), ADIT_OK);
}

static inline struct adit_id id_of(const char *text)
{
    static struct arena arena;
    struct adit_id id;
    struct adit_why why = { 0 };
    if (id_parse(text, &arena, pki_dn_encode, NULL, &id, &why) != ADIT_OK)
        fail_msg("%s", why.text);
    return id;
}

/* Takes the configuration over. */
static inline struct policy *policy_of(struct adit_config *cfg)
{
    struct policy *p = NULL;
    struct adit_why why = { 0 };
    if (policy_new(crypto(), cfg, &p, &why) != ADIT_OK)
        fail_msg("%s", why.text);
    adit_config_unref(cfg);
    return p;
}

#endif
