/* test_packet.c - packets on the stream, with the octets of management.md s1; input ends at a guard page. */
#include "unit.h"
#include "vici/vici.h"

static const struct {
    const char *what;
    struct adit_span octets;
    enum adit_rc rc;
    enum vici_type type;
    const char *name;
    size_t message;
} rows[] = {
    { "register list-sa", SPAN_LIT("\0\0\0\x09\x03\x07list-sa"), ADIT_OK, VICI_EVENT_REGISTER, "list-sa", 0 },
    { "list-sas", SPAN_LIT("\0\0\0\x13\0\x08list-sas\x03\x03ike\0\x02gw"), ADIT_OK, VICI_CMD_REQUEST,
      "list-sas", 9 },
    { "empty response", SPAN_LIT("\0\0\0\x01\x01"), ADIT_OK, VICI_CMD_RESPONSE, "", 0 },
    { "confirm", SPAN_LIT("\0\0\0\x01\x05"), ADIT_OK, VICI_EVENT_CONFIRM, "", 0 },
    { "event without message", SPAN_LIT("\0\0\0\x03\x07\x01x"), ADIT_OK, VICI_EVENT, "x", 0 },
    { "empty name", SPAN_LIT("\0\0\0\x02\0\0"), ADIT_OK, VICI_CMD_REQUEST, "", 0 },
    { "nothing yet", SPAN_LIT(""), ADIT_WAIT, 0, NULL, 0 },
    { "length incomplete", SPAN_LIT("\0\0\0"), ADIT_WAIT, 0, NULL, 0 },
    { "packet incomplete", SPAN_LIT("\0\0\0\x09\x03\x07list-s"), ADIT_WAIT, 0, NULL, 0 },
    { "length 0", SPAN_LIT("\0\0\0\0"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "length at the limit", SPAN_LIT("\0\x08\0\0"), ADIT_WAIT, 0, NULL, 0 },
    { "length above the limit", SPAN_LIT("\0\x08\0\x01"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "unknown type", SPAN_LIT("\0\0\0\x01\x08"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "name missing", SPAN_LIT("\0\0\0\x01\x03"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "name too long", SPAN_LIT("\0\0\0\x03\x03\x02x"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "name with newline", SPAN_LIT("\0\0\0\x03\x03\x01\n"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "name with UTF-8", SPAN_LIT("\0\0\0\x04\x03\x02\xc3\xa4"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "octets after a registration", SPAN_LIT("\0\0\0\x04\x03\x01xy"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
    { "octets after a confirmation", SPAN_LIT("\0\0\0\x02\x05x"), ADIT_ERR_MALFORMED, 0, NULL, 0 },
};

static void packets_are_taken(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vici_packet p;
        struct adit_why why = { 0 };
        size_t used = 0;
        assert_row(rows[i].what, vici_packet_take(guard_copy(rows[i].octets), &p, &used, &why) == rows[i].rc);
        if (rows[i].rc != ADIT_OK)
            continue;
        assert_row(rows[i].what, used == rows[i].octets.n && p.type == rows[i].type);
        assert_row(rows[i].what, !strcmp(p.name, rows[i].name) && p.message.n == rows[i].message);
    }
}

static void packets_are_written_as_they_were_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vici_packet p;
        struct adit_buf out = { 0 };
        size_t used;
        if (rows[i].rc != ADIT_OK)
            continue;
        assert_int_equal(vici_packet_take(rows[i].octets, &p, &used, NULL), ADIT_OK);
        assert_int_equal(vici_packet_put(&out, p.type, p.name, p.message), ADIT_OK);
        assert_row(rows[i].what, span_equal(buf_span(&out), rows[i].octets));
        buf_fini(&out);
    }
}

static void streams_hold_packets_in_order(void **state)
{
    struct adit_buf stream = { 0 };
    struct vici_packet p;
    size_t used;
    assert_int_equal(vici_packet_put(&stream, VICI_CMD_REQUEST, "version", SPAN_NONE), ADIT_OK);
    assert_int_equal(vici_packet_put(&stream, VICI_CMD_REQUEST, "stats", SPAN_NONE), ADIT_OK);
    assert_int_equal(vici_packet_take(buf_span(&stream), &p, &used, NULL), ADIT_OK);
    assert_string_equal(p.name, "version");
    assert_int_equal(vici_packet_take(span_from(buf_span(&stream), used), &p, &used, NULL), ADIT_OK);
    assert_string_equal(p.name, "stats");
    buf_fini(&stream);
}

static void packets_are_limited(void **state)
{
    struct adit_buf big = { 0 }, out = { 0 };
    char name[VICI_NAME_MAX + 2] = "";
    for (size_t i = 0; i <= VICI_NAME_MAX; i++)
        name[i] = 'x';
    assert_int_equal(buf_resize(&big, VICI_PACKET_MAX - 1), ADIT_OK);
    assert_int_equal(vici_packet_put(&out, VICI_CMD_RESPONSE, "", buf_span(&big)), ADIT_OK);
    assert_int_equal(vici_packet_put(&out, VICI_EVENT, "x", buf_span(&big)), ADIT_ERR_LIMIT);
    assert_int_equal(vici_packet_put(&out, VICI_EVENT, name, SPAN_NONE), ADIT_ERR_LIMIT);
    name[VICI_NAME_MAX] = 0;
    assert_int_equal(vici_packet_put(&out, VICI_EVENT, name, SPAN_NONE), ADIT_OK);
    buf_fini(&big);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_taken),
        cmocka_unit_test(packets_are_written_as_they_were_read),
        cmocka_unit_test(streams_hold_packets_in_order),
        cmocka_unit_test(packets_are_limited),
    };
    return cmocka_run_group_tests_name("vici/packet", tests, NULL, NULL);
}
