/* adit/base.h - the ground types that every public header and every room shares.
 * Plain data; nothing here allocates or does I/O. */
#ifndef ADIT_BASE_H
#define ADIT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADIT_MUST_USE __attribute__((warn_unused_result))
#define ADIT_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Borrowed bytes: valid until the call that got them returns, unless its header says longer. */
struct adit_span {
    const uint8_t *p;
    size_t n;
};

/* What a function answers. 0 = done; ADIT_WAIT = work is pending and the call will be repeated; negative =
 * failure, grouped by what the caller has to do. Which Notify a peer gets for it: ike/reply.c alone knows. */
enum adit_rc {
    ADIT_OK = 0,
    ADIT_WAIT = 1,
    /* the message itself is bad */
    ADIT_ERR_MALFORMED = -1, /* INVALID_SYNTAX */
    ADIT_ERR_CRITICAL = -2,  /* unknown critical payload */
    ADIT_ERR_VERSION = -3,   /* major version we do not speak */
    ADIT_ERR_PATH = -4,      /* it did not come from or to the addresses that it names */
    /* understood, refused by policy */
    ADIT_ERR_PROPOSAL = -10,      /* no proposal fits */
    ADIT_ERR_KE_METHOD = -11,     /* KE payload for a method we did not choose */
    ADIT_ERR_TS = -12,            /* traffic selectors unacceptable */
    ADIT_ERR_AUTH = -13,          /* authentication failed */
    ADIT_ERR_POLICY = -14,        /* no connection fits, or an option forbids it */
    ADIT_ERR_NO_ADDITIONAL = -15, /* no further Child SAs here */
    ADIT_ERR_TEMPORARY = -16,     /* busy with a crossing exchange: try later */
    ADIT_ERR_NO_CHILD = -17,      /* no such Child SA */
    ADIT_ERR_NO_STATE = -18,      /* a follow-up to nothing (STATE_NOT_FOUND) */
    ADIT_ERR_QUEUE = -5,          /* no further Child SA with these selectors */
    ADIT_ERR_PEER = -19,          /* the peer answered with an error notify */
    ADIT_ERR_NO_ADDRESS = -8,     /* no virtual address to be had: INTERNAL_ADDRESS_FAILURE */
    ADIT_ERR_NO_REQUEST = -9,     /* the peer has to ask for an address: FAILED_CP_REQUIRED */
    /* cryptography */
    ADIT_ERR_CRYPTO = -20,    /* the library refused */
    ADIT_ERR_INTEGRITY = -21, /* ICV wrong: drop silently, count */
    ADIT_ERR_PUBLIC = -22,    /* peer's public value or ciphertext fails its checks */
    /* resources */
    ADIT_ERR_MEMORY = -30,
    ADIT_ERR_LIMIT = -31, /* one of the limits of ike/limits.h */
    ADIT_ERR_TIMEOUT = -32,
    ADIT_ERR_IO = -33,
    /* state: drop the message, change nothing */
    ADIT_ERR_DROP = -40,
    ADIT_ERR_CLOSED = -41, /* the SA is going away */
    /* the caller's input */
    ADIT_ERR_CONFIG = -50,
    ADIT_ERR_NOT_FOUND = -51,
    ADIT_ERR_EXISTS = -52,
    ADIT_ERR_BUG = -60
};

/* A reason in words, on the caller's stack: failing never allocates. */
struct adit_why {
    enum adit_rc rc;
    char text[512];
};

#endif
