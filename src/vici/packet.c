/* packet.c - segments of the VICI stream: length, type, name, message. */
#include "base/why.h"
#include "vici/name.h"
#include "vici/vici.h"

static const struct {
    bool name, message;
} shapes[] = {
    [VICI_CMD_REQUEST] = { true, true },       [VICI_CMD_RESPONSE] = { false, true },
    [VICI_CMD_UNKNOWN] = { false, false },     [VICI_EVENT_REGISTER] = { true, false },
    [VICI_EVENT_UNREGISTER] = { true, false }, [VICI_EVENT_CONFIRM] = { false, false },
    [VICI_EVENT_UNKNOWN] = { false, false },   [VICI_EVENT] = { true, true },
};

bool vici_type_has_name(enum vici_type type)
{
    return (size_t)type < ARRAY_LEN(shapes) && shapes[type].name;
}

bool vici_type_has_message(enum vici_type type)
{
    return (size_t)type < ARRAY_LEN(shapes) && shapes[type].message;
}

static void read_packet(struct rd *in, struct vici_packet *out)
{
    uint8_t type = rd_u8(in);
    *out = (struct vici_packet){ .type = type };
    if (!rd_require(in, type < ARRAY_LEN(shapes), "unknown packet type"))
        return;
    if (shapes[type].name) {
        struct adit_span name = rd_take(in, rd_u8(in));
        rd_require(in, vici_name_ok(name), "name with unprintable octets");
        span_copy((uint8_t *)out->name, name);
    }
    if (shapes[type].message)
        out->message = rd_rest(in);
    rd_end(in);
}

enum adit_rc vici_packet_take(struct adit_span stream, struct vici_packet *out, size_t *used,
                              struct adit_why *why)
{
    struct rd in = rd_init(stream);
    if (stream.n < 4)
        return ADIT_WAIT;
    size_t n = rd_u32(&in);
    if (n == 0 || n > VICI_PACKET_MAX)
        return why_set(why, ADIT_ERR_MALFORMED, "packet of %zu octets; allowed are 1 to %u", n,
                       VICI_PACKET_MAX);
    if (stream.n - 4 < n)
        return ADIT_WAIT;
    struct rd packet = rd_sub(&in, n);
    read_packet(&packet, out);
    if (!rd_ok(&packet))
        return why_set(why, ADIT_ERR_MALFORMED, "packet: %s", packet.fail);
    *used = 4 + n;
    return ADIT_OK;
}

enum adit_rc vici_packet_put(struct adit_buf *out, enum vici_type type, const char *name,
                             struct adit_span message)
{
    bool named = vici_type_has_name(type);
    struct adit_span text = span_str(named ? name : "");
    size_t body = vici_type_has_message(type) ? message.n : 0, n = 1 + (named ? 1 + text.n : 0) + body;
    struct wr w;
    if (text.n > VICI_NAME_MAX || n > VICI_PACKET_MAX)
        return ADIT_ERR_LIMIT;
    size_t at = out->n;
    TRY(buf_resize(out, at + 4 + n));
    wr_init(&w, out->p + at, 4 + n);
    wr_u32(&w, (uint32_t)n);
    wr_u8(&w, (uint8_t)type);
    if (named) {
        wr_u8(&w, (uint8_t)text.n);
        wr_span(&w, text);
    }
    wr_span(&w, span_first(message, body));
    return wr_ok(&w) ? ADIT_OK : ADIT_ERR_BUG;
}
