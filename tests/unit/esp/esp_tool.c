/* esp_tool.c - seals or opens one packet for a test that is written in another language: see tests/wire/esp_scapy.py.
 * Arguments: seal|open encr bits integ esn mode udp family spi seq key integ-key packet (numbers hexadecimal, keys and
 * packet as octets, "-" = none; mode tunnel|transport). Prints the resulting octets, or "! verdict".
 * seal: inner IP packet -> outer packet (ESP only with UDP). open: from the ESP header on -> inner IP packet.
 * Addresses: 192.0.2.1 or 2001:db8:0:100::1 is the sender, 198.51.100.2 or 2001:db8:0:200::2 the receiver. */
#include <stdio.h>
#include <stdlib.h>
#include "esp_fixture.h"

enum { DO = 1, ENCR, BITS, INTEG, ESN, MODE, UDP, FAMILY, SPI, SEQ, KEY, INTEG_KEY, PACKET, ARGS };

static struct adit_span octets(const char *hex, uint8_t *room)
{
    return strcmp(hex, "-") == 0 ? SPAN_NONE : span(room, unhex(room, hex));
}

static unsigned long number(const char *hex)
{
    return strtoul(hex, NULL, 16);
}

static struct esp_sa *make(char **arg, bool sealing)
{
    static uint8_t key[256], integ[256];
    struct adit_ts all[2] = { ts_all(4), ts_all(6) };
    bool v6 = number(arg[FAMILY]) == 6;
    struct adit_endpoint a = { v6 ? ip6(1, 1) : ip4(192, 0, 2, 1), 4500 };
    struct adit_endpoint b = { v6 ? ip6(2, 2) : ip4(198, 51, 100, 2), 4500 };
    struct adit_sa_keys keys = { (uint32_t)number(arg[SPI]), octets(arg[KEY], key),
                                 octets(arg[INTEG_KEY], integ) };
    struct adit_child_spec spec = {
        .proto = PROTO_ESP,
        .mode = strcmp(arg[MODE], "transport") == 0 ? ADIT_MODE_TRANSPORT : ADIT_MODE_TUNNEL,
        .suite = { .encr = (uint16_t)number(arg[ENCR]),
                   .encr_bits = (uint16_t)number(arg[BITS]),
                   .integ = (uint16_t)number(arg[INTEG]),
                   .sn = (uint16_t)number(arg[ESN]) },
        .in = keys,
        .out = keys,
        .path = { sealing ? a : b, sealing ? b : a },
        .udp_encap = number(arg[UDP]),
        .n_local_ts = 2,
        .n_remote_ts = 2,
        .local_ts = all,
        .remote_ts = all,
        .replay_window = 64,
        .copy_ecn = true,
        .copy_dscp = ADIT_COPY_OUT,
    };
    struct esp_sa *sa = NULL;
    struct adit_why why = { 0 };
    if (esp_sa_new(fixture_crypto(), &spec, 0, &sa, &why) != ADIT_OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(2);
    }
    sa->seq = sa->window.top = number(arg[SEQ]) - 1;
    return sa;
}

static void print(const struct esp_pkt *pkt)
{
    if (pkt->verdict != ESP_OK)
        printf("! %s", esp_verdict_name(pkt->verdict));
    for (uint32_t i = 0; pkt->verdict == ESP_OK && i < pkt->len; i++)
        printf("%02x", pkt->buf[pkt->off + i]);
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct box box;
    static uint8_t packet[8192];
    if (argc != ARGS || strlen(argv[PACKET]) > sizeof(packet)) {
        fprintf(stderr, "usage: see the head of esp_tool.c\n");
        return 2;
    }
    bool sealing = strcmp(argv[DO], "seal") == 0;
    struct esp_sa *sa = make(argv, sealing);
    struct esp_table *t = esp_table_new(1);
    struct esp_pkt *pkt = box_fill(&box, octets(argv[PACKET], packet));
    if (sealing)
        seal_one(sa, pkt, 1);
    else if (esp_table_add(t, sa) == ADIT_OK)
        open_one(t, pkt, 1);
    print(pkt);
    esp_table_free(t);
    esp_sa_free(sa);
    return 0;
}
