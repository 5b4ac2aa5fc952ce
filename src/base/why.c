/* why.c - reasons in words; the texts of the return codes. */
#include "base/why.h"
#include <stdarg.h>
#include <stdio.h>
#include "base/strbuf.h"

ADIT_PRINTF(2, 0)
static void print(struct adit_why *why, const char *fmt, va_list args)
{
    if (vsnprintf(why->text, sizeof(why->text), fmt, args) < 0)
        why->text[0] = 0;
}

enum adit_rc why_set(struct adit_why *why, enum adit_rc rc, const char *fmt, ...)
{
    va_list args;
    if (!why)
        return rc;
    why->rc = rc;
    va_start(args, fmt);
    print(why, fmt, args);
    va_end(args);
    return rc;
}

enum adit_rc why_context(struct adit_why *why, enum adit_rc rc, const char *fmt, ...)
{
    va_list args;
    if (!why)
        return rc;
    struct adit_why old = *why;
    va_start(args, fmt);
    print(why, fmt, args);
    va_end(args);
    if (!old.rc)
        why->rc = old.rc = rc; /* a callee that failed without a reason */
    struct strbuf text = { why->text, strlen(why->text), sizeof(why->text) };
    if (old.text[0])
        strbuf_addf(&text, ": %s", old.text);
    return old.rc;
}

const char *adit_rc_name(enum adit_rc rc)
{
    switch (rc) {
    case ADIT_OK: return "done";
    case ADIT_WAIT: return "waiting";
    case ADIT_ERR_MALFORMED: return "malformed message";
    case ADIT_ERR_CRITICAL: return "unknown critical payload";
    case ADIT_ERR_VERSION: return "unknown major version";
    case ADIT_ERR_NO_ADDRESS: return "no virtual address";
    case ADIT_ERR_NO_REQUEST: return "no request for a virtual address";
    case ADIT_ERR_PATH: return "addresses were changed on the way";
    case ADIT_ERR_PROPOSAL: return "no proposal chosen";
    case ADIT_ERR_KE_METHOD: return "wrong key exchange method";
    case ADIT_ERR_TS: return "traffic selectors unacceptable";
    case ADIT_ERR_AUTH: return "authentication failed";
    case ADIT_ERR_POLICY: return "refused by policy";
    case ADIT_ERR_NO_ADDITIONAL: return "no additional Child SAs";
    case ADIT_ERR_QUEUE: return "no further Child SA with these selectors";
    case ADIT_ERR_TEMPORARY: return "temporary failure";
    case ADIT_ERR_NO_CHILD: return "no such Child SA";
    case ADIT_ERR_NO_STATE: return "no state for this follow-up";
    case ADIT_ERR_PEER: return "peer answered with an error";
    case ADIT_ERR_CRYPTO: return "cryptographic library refused";
    case ADIT_ERR_INTEGRITY: return "integrity check failed";
    case ADIT_ERR_PUBLIC: return "bad public value";
    case ADIT_ERR_MEMORY: return "out of memory";
    case ADIT_ERR_LIMIT: return "limit exceeded";
    case ADIT_ERR_TIMEOUT: return "timed out";
    case ADIT_ERR_IO: return "input/output error";
    case ADIT_ERR_DROP: return "dropped";
    case ADIT_ERR_CLOSED: return "closed";
    case ADIT_ERR_CONFIG: return "bad configuration";
    case ADIT_ERR_NOT_FOUND: return "not found";
    case ADIT_ERR_EXISTS: return "exists already";
    case ADIT_ERR_BUG: return "internal error";
    }
    return "unknown error";
}
