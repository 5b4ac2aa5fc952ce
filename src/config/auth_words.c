/* auth_words.c - the words of `auth =`: classes, and for signatures groups of scheme, key size and hashes joined by '-',
 * "ike:" in front of those that are about IKE's signatures. What they mean is the engine's; here they are only checked. */
#include "config/load.h"
#include "config/text.h"

#define AUTH_MAX 63 /* strongSwan's limit; it cuts silently */

static bool is_one_of(struct adit_span word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_equal(word, span_str(words[i])))
            return true;
    }
    return false;
}

static bool is_start(struct adit_span word)
{
    static const char *const starts[] = { "pubkey", "rsa", "rsa/pss", "ecdsa" };
    struct adit_span prefix = SPAN_LIT("ike:");
    static const char *const eddsa[] = { "ed25519", "ed448" };
    if (span_equal(span_first(word, prefix.n), prefix)) {
        word = span_from(word, prefix.n);
        return is_one_of(word, starts, ARRAY_LEN(starts)) || is_one_of(word, eddsa, ARRAY_LEN(eddsa));
    }
    return is_one_of(word, starts, ARRAY_LEN(starts));
}

static bool is_follower(struct adit_span word)
{
    static const char *const words[] = { "sha256",   "sha384",   "sha512",   "sha2_256", "sha2_384", "sha2_512", "sha3_256",
                                         "sha3_384", "sha3_512", "shake128", "shake256", "ed25519",  "ed448" };
    uint64_t bits;
    return is_one_of(word, words, ARRAY_LEN(words)) || (value_number(word, 16384, &bits) && bits >= 192);
}

static enum adit_rc bad_word(struct adit_span word, bool first, struct adit_why *why)
{
    static const char *const words[] = { "pubkey", "rsa",    "rsa/pss", "ecdsa",   "psk",
                                         "sha256", "sha384", "sha512",  "ed25519", "ed448",
                                         "sha3_256", "sha3_384", "sha3_512", "shake128", "shake256" };
    STRBUF(text, 64);
    strbuf_addf(&text, "%.*s", (int)word.n, (const char *)word.p);
    const char *nearest = word_nearest(text.p, words, ARRAY_LEN(words));
    if (nearest && strcmp(nearest, text.p))
        return why_set(why, ADIT_ERR_CONFIG, "unknown word '%s'; did you mean '%s'?", text.p, nearest);
    return why_set(why, ADIT_ERR_CONFIG, "'%s' %s", text.p,
                   first ? "can't stand first: psk, pubkey, rsa, rsa/pss, ecdsa or ike:.. is expected"
                         : "is no key size (192 to 16384), hash or scheme");
}

static bool is_number(struct adit_span word)
{
    return word.n && word.p[0] >= '0' && word.p[0] <= '9';
}

static enum adit_rc check_signature(const char *text, struct adit_why *why)
{
    struct words w = { text, '-' };
    struct adit_span word;
    bool any_key = false; /* in a group that begins with pubkey */
    if (strpbrk(text, " \t\r\n'\""))
        return why_set(why, ADIT_ERR_CONFIG, "'%s' holds blanks or quotes", text);
    for (bool first = true; words_next(&w, &word); first = false) {
        if (!is_start(word) && (first || !is_follower(word)))
            return bad_word(word, first, why);
        if (any_key && is_number(word))
            return why_set(why, ADIT_ERR_CONFIG, "'%s': a key size needs rsa or ecdsa before it, not pubkey",
                           text);
        if (is_start(word))
            any_key = word.n >= 6 && span_equal(span_from(word, word.n - 6), SPAN_LIT("pubkey"));
    }
    return ADIT_OK;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

enum adit_rc auth_words_check(const char *text, enum adit_auth_class *class, struct adit_why *why)
{
    if (strlen(text) > AUTH_MAX)
        return why_set(why, ADIT_ERR_CONFIG, "longer than %d characters", AUTH_MAX);
    if (!strcmp(text, "psk")) {
        *class = ADIT_AUTH_PSK;
        return ADIT_OK;
    }
    if (starts_with(text, "eap"))
        return why_set(why, ADIT_ERR_CONFIG, "'%s' is %s: no EAP yet", text, verdict_text(V_LATER));
    if (starts_with(text, "xauth"))
        return why_set(why, ADIT_ERR_CONFIG, "'%s' is refused: Adit does not speak IKEv1", text);
    *class = ADIT_AUTH_PUBKEY;
    return check_signature(text, why);
}
