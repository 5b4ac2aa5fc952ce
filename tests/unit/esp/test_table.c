/* test_table.c - look-up by SPI. */
#include "esp_fixture.h"

static void finds_by_inbound_spi_alone(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    pair_start(&p);
    assert_ptr_equal(esp_table_get(p.at_b, SPI_A), p.b);
    assert_null(esp_table_get(p.at_b, SPI_B));
    assert_int_equal(esp_table_add(p.at_b, p.b), ADIT_ERR_EXISTS);
    esp_table_del(p.at_b, SPI_A);
    assert_null(esp_table_get(p.at_b, SPI_A));
    esp_table_del(p.at_b, SPI_A);
    assert_int_equal(esp_table_add(p.at_b, p.b), ADIT_OK);
    assert_ptr_equal(esp_table_get(p.at_b, esp_sa_spi_in(p.b)), p.b);
    pair_stop(&p);
}

static void memory_may_be_out(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    pair_start(&p);
    unsigned none = 0;
    mem_set_gate(gate_countdown, &none);
    assert_null(esp_table_new(1));
    mem_set_gate(NULL, NULL);
    struct esp_table *t = esp_table_new(1);
    mem_set_gate(gate_countdown, &none);
    assert_int_equal(esp_table_add(t, p.a), ADIT_ERR_MEMORY);
    mem_set_gate(NULL, NULL);
    assert_null(esp_table_get(t, SPI_B));
    esp_table_free(t);
    esp_table_free(NULL);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_inbound_spi_alone),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
