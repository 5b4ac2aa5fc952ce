/* tcpframe.h - the octets of a TCP connection that carries IKE and ESP (RFC 9329 s3, s4): a prefix, once, of who opened it;
 * then frames, each with its length in front. */
#ifndef WIRE_TCPFRAME_H
#define WIRE_TCPFRAME_H

#include "base/span.h"

#define TCPFRAME_PREFIX "IKETCP"
#define TCPFRAME_PREFIX_SIZE 6
#define TCPFRAME_HEAD_MAX 6      /* Length; before IKE the non-ESP marker too */
#define TCPFRAME_IKE_MAX 65529   /* octets of an IKE message */
#define TCPFRAME_ESP_MAX 65533   /* of an ESP packet */
#define TCPFRAME_WHOLE_MAX 65535 /* of a frame, as its Length counts */

enum tcpframe_kind {
    TCPFRAME_MORE,    /* not all of it is there yet */
    TCPFRAME_BAD,     /* a Length of 0 or 1: where the next one begins nobody knows */
    TCPFRAME_NOTHING, /* empty, or a keepalive: to be ignored */
    TCPFRAME_RUNT,    /* neither IKE nor ESP */
    TCPFRAME_IKE,
    TCPFRAME_ESP,
};
/* The first frame of `in`. But for MORE and BAD: *used octets are its; *body (IKE, ESP): borrowed, without marker. */
enum tcpframe_kind tcpframe_get(struct adit_span in, struct adit_span *body, size_t *used);
/* What stands before a message of n octets; returns how many octets, 0: it is too long for a frame. */
size_t tcpframe_head(uint8_t out[TCPFRAME_HEAD_MAX], bool ike, size_t n);
/* Of a new connection: does it begin with the prefix? *enough: all of it was there, or what was is wrong already. */
bool tcpframe_prefix(struct adit_span in, bool *enough);

#endif
