/* schema.h - every key of every section: type, place in the snapshot, default, words, meaning; and the keys that are
 * refused, with the reason. The loader, `adit explain` and the reference read these rows. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "config/config.h"

enum config_scope {
    SCOPE_CONN = 1 << 0,
    SCOPE_LOCAL = 1 << 1,
    SCOPE_REMOTE = 1 << 2,
    SCOPE_CERT = 1 << 3,
    SCOPE_CHILD = 1 << 4,
    SCOPE_SHARED = 1 << 5,  /* secrets.ike<s> */
    SCOPE_KEYFILE = 1 << 6, /* secrets.private<s>, rsa<s> ... */
    SCOPE_AUTHORITY = 1 << 7,
    SCOPE_TUNNEL = 1 << 8,
    SCOPE_DAEMON = 1 << 9,
    SCOPE_DAEMON_VICI = 1 << 10,
    SCOPE_SECRETS = 1 << 11, /* kinds of sections in `secrets` */
    SCOPE_POOL = 1 << 12
};

enum field_type {
    F_NONE, /* checked against words, not stored */
    F_BOOL,
    F_U16,
    F_U32,
    F_TIME,   /* uint64_t, seconds */
    F_TIME32, /* uint32_t, seconds; sums allowed */
    F_SIZE,   /* uint64_t, octets */
    F_COUNT,  /* uint64_t */
    F_REAL,
    F_WORD, /* int-sized enum: index in words */
    F_TEXT,
    F_TEXTS,
    F_ACTIONS,
    F_ADDRS,
    F_TS,
    F_IKE_PROPOSALS,
    F_ESP_PROPOSALS,
    F_AUTH,
    F_ID,
    F_CERTS,   /* files below x509 */
    F_CACERTS, /* files below x509ca */
    F_TFC,     /* uint16_t, octets, or mtu */
    F_PEER,    /* WORD kept as text; "auto" = NULL */
    F_SPECIAL  /* the section's own code reads it */
};

enum verdict {
    V_HAVE,
    V_LATER,   /* not in this version */
    V_KERNEL,  /* means something to a kernel data plane only */
    V_REFUSED, /* never: the reason says why */
    V_IGNORED  /* a warning */
};

struct config_key {
    unsigned scopes;
    const char *name;
    enum field_type type;
    uint16_t offset, n_offset; /* of the value and, for lists, its count in the scope's struct */
    const char *deflt;         /* as it would be written; NULL: zero or computed (then doc says how) */
    const char *words;         /* F_WORD, F_NONE, F_PEER */
    uint32_t min, max;         /* F_U16, F_U32; max 0: the type's */
    enum verdict verdict;
    const char *neutral; /* not V_HAVE: values without effect that are accepted ("no|0") */
    const char
        *warned; /* not V_HAVE: values that only allow what does not exist here: accepted with a warning */
    const char *reason; /* not V_HAVE */
    const char *doc;
};
const struct config_key *schema_keys(size_t *n);
const struct config_key *schema_find(unsigned scope, const char *name);

/* Single values that are refused although the key is not. */
struct config_bad_value {
    unsigned scopes;
    const char *key, *value;
    enum verdict verdict;
    const char *reason;
};
const struct config_bad_value *schema_bad_value(unsigned scope, const char *key, const char *value);
const struct config_bad_value *schema_bad_values(size_t *n);

/* Sections inside others: names, or prefixes ("local" also means local-1, local_x). */
struct config_section {
    unsigned inside; /* scope; 0 = top level */
    const char *name;
    bool prefix;
    const char *doc;
};
const struct config_section *schema_sections(size_t *n);

/* "is not supported by this version (reason)" and so on. */
const char *verdict_text(enum verdict v);

#endif
