/* store.c - private keys that a provider keeps: files, PKCS#11 tokens, TPM handles, by their OSSL_STORE URI. */
#include <ctype.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "base/span.h"
#include "crypto/set.h"

#define SCHEME_MAX 32

/* "pkcs11:token=x" -> "pkcs11"; a path without scheme is a file. */
static void scheme_of(const char *uri, char out[SCHEME_MAX])
{
    size_t n = 0;
    while (n < SCHEME_MAX - 1 && (isalnum((unsigned char)uri[n]) || uri[n] == '+' || uri[n] == '-')) {
        out[n] = (char)tolower((unsigned char)uri[n]);
        n++;
    }
    out[n] = '\0';
    if (uri[n] != ':')
        span_copy((uint8_t *)out, span("file", sizeof("file")));
}

static bool same_word(const char *a, const char *b)
{
    return span_equal(span_str(a), span_str(b));
}

/* Which provider knows the scheme; often they are named alike. */
static const char *provider_of(const char *scheme)
{
    static const char *const known[][2] = { { "handle", "tpm2" }, { "object", "tpm2" }, { "tpm2", "tpm2" } };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (same_word(scheme, known[i][0]))
            return known[i][1];
    return scheme;
}

/* The first URI of a foreign scheme makes the context read openssl.cnf, where such providers have their settings
 * (module path, PIN file); if that does not bring the provider, it is loaded by name. */
static bool provide(OSSL_LIB_CTX *lib, const char *scheme)
{
    const char *name = provider_of(scheme);
    if (same_word(scheme, "file") || OSSL_PROVIDER_available(lib, name))
        return true;
    char *file = CONF_get1_default_config_file();
    if (file)
        (void)OSSL_LIB_CTX_load_config(lib, file);
    OPENSSL_free(file);
    ERR_clear_error();
    return OSSL_PROVIDER_available(lib, name) || OSSL_PROVIDER_try_load(lib, name, 1) != NULL;
}

static EVP_PKEY *first_private(OSSL_STORE_CTX *store)
{
    EVP_PKEY *pkey = NULL;
    while (!pkey && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            pkey = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
        if (!info && OSSL_STORE_error(store))
            break;
    }
    return pkey;
}

static EVP_PKEY *load(OSSL_LIB_CTX *lib, const char *uri, struct adit_span *pass)
{
    EVP_PKEY *pkey = NULL;
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(ossl_give_pass, 0);
    OSSL_STORE_CTX *store = ui ? OSSL_STORE_open_ex(uri, lib, NULL, ui, pass, NULL, NULL, NULL) : NULL;
    if (store && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1)
        pkey = first_private(store);
    OSSL_STORE_close(store);
    UI_destroy_method(ui);
    return pkey;
}

enum adit_rc key_load_uri(const struct adit_crypto *c, const char *uri, struct adit_span pass,
                          struct crypto_key **out, struct adit_why *why)
{
    char scheme[SCHEME_MAX];
    scheme_of(uri, scheme);
    if (!provide(c->ossl.lib, scheme))
        return why_set(why, ADIT_ERR_CONFIG, "'%s': OpenSSL has no provider '%s' for it: %s", uri,
                       provider_of(scheme), ossl_error());
    EVP_PKEY *pkey = load(c->ossl.lib, uri, &pass);
    if (!pkey)
        return why_set(why, ADIT_ERR_CONFIG, "'%s': no private key there%s: %s", uri,
                       pass.n ? "" : " (encrypted ones need a pass phrase)", ossl_error());
    *out = ossl_key_new(c->ossl.lib, pkey);
    return *out ? ADIT_OK : why_set(why, ADIT_ERR_MEMORY, "out of memory");
}
