/* natt.h - what is known about translators between the two ends of one IKE SA. Private to this folder and its tests. */
#ifndef IKE_EXT_NATT_H
#define IKE_EXT_NATT_H

#include "ike/ext.h"

#define NATT_HASH_SIZE 20

/* Filled anew by each IKE_SA_INIT message that is looked at; counts only if that message was accepted (ext_agreed). */
struct natt_state {
    const void *seen_in; /* which message */
    bool seen_source, source_match, seen_destination, destination_match;
    uint8_t seen_as[NATT_HASH_SIZE]; /* what the peer sees of us, as the hash that it sent */
    bool retired; /* another SA keeps the mapping alive */
};

/* SHA-1(SPIi | SPIr | address | port), RFC 7296 s2.23. False: the library refused. */
bool natt_hash(uint64_t spi_i, uint64_t spi_r, const struct adit_endpoint *e, uint8_t out[NATT_HASH_SIZE]);
/* Takes one notify of message `of` over: is `data` the hash of what we see (ours)? */
void natt_note(struct natt_state *s, const void *of, bool source, struct adit_span data,
               const uint8_t ours[NATT_HASH_SIZE]);
bool natt_is_local(const struct natt_state *s);  /* we are behind a translator */
bool natt_is_remote(const struct natt_state *s); /* the peer is */

#endif
