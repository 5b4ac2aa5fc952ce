/* why.h - reasons in words, and the happy path in a straight line. */
#ifndef BASE_WHY_H
#define BASE_WHY_H

#include "adit/base.h"

/* Sets rc and text, returns rc, so that a failure is one line. why may be NULL. */
enum adit_rc why_set(struct adit_why *why, enum adit_rc rc, const char *fmt, ...) ADIT_PRINTF(3, 4);
/* Puts context in front: "fmt: old text". Returns why's rc (rc if why is NULL). */
enum adit_rc why_context(struct adit_why *why, enum adit_rc rc, const char *fmt, ...) ADIT_PRINTF(3, 4);
/* The error's name for logs: "no proposal chosen"; never NULL. */
const char *adit_rc_name(enum adit_rc rc);

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        enum adit_rc try_rc_ = (call);                                                                       \
        if (try_rc_ != ADIT_OK)                                                                              \
            return try_rc_;                                                                                  \
    } while (0)

#endif
