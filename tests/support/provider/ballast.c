/* Test provider: a TLS 1.3 group whose key shares are as long as its configuration says.
 *
 * A KEM over X25519: the client's share is a public key, the server's another one, and each is followed by ballast.
 * Section of the configuration: client_bytes and server_bytes, the lengths of the shares, 32 or more.
 * Built with -DREFUSE it does not initialise, with -DCRASH it aborts.
 * provider-base(7), provider-keymgmt(7), provider-kem(7). */
#include <stdlib.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define NAME "ballast"
#define CODEPOINT 0xFE77 /* private use */
#define KEY_BYTES 32
#define BALLAST 0x5A

typedef struct {
    const OSSL_CORE_HANDLE *handle;
    OSSL_LIB_CTX *libctx; /* its own, with the default provider */
    size_t client_bytes, server_bytes;
} Provider;

typedef struct {
    Provider *provider;
    EVP_PKEY *pair;                /* of the side that generated it */
    unsigned char public[KEY_BYTES];
    int has_public;
} Key;

typedef struct {
    Provider *provider;
    int selection;
} Generation;

typedef struct {
    Provider *provider;
    Key *key;
} Kem;

/* ---- key management ---- */

static void *key_new(void *provider)
{
    Key *key = calloc(1, sizeof(Key));
    if (key != NULL)
        key->provider = provider;
    return key;
}

static void key_free(void *data)
{
    Key *key = data;
    if (key != NULL)
        EVP_PKEY_free(key->pair);
    free(key);
}

static int key_has(const void *data, int selection)
{
    const Key *key = data;
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && key->pair == NULL)
        return 0;
    return !(selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) || key->has_public;
}

static void *generation_new(void *provider, int selection, const OSSL_PARAM params[])
{
    Generation *generation = malloc(sizeof(Generation));
    (void)params;
    if (generation != NULL)
        *generation = (Generation){ provider, selection };
    return generation;
}

static int generation_set(void *data, const OSSL_PARAM params[])
{
    (void)data, (void)params; /* libssl names the group, of which there is one */
    return 1;
}

static const OSSL_PARAM *generation_settable(void *data, void *provider)
{
    static const OSSL_PARAM settable[] = { OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0), OSSL_PARAM_END };
    (void)data, (void)provider;
    return settable;
}

static int read_public(Key *key)
{
    size_t length = KEY_BYTES;
    key->has_public = EVP_PKEY_get_raw_public_key(key->pair, key->public, &length) == 1 && length == KEY_BYTES;
    return key->has_public;
}

static void *generate(void *data, OSSL_CALLBACK *callback, void *argument)
{
    Generation *generation = data;
    Key *key = key_new(generation->provider);
    (void)callback, (void)argument;
    if (key == NULL || !(generation->selection & OSSL_KEYMGMT_SELECT_KEYPAIR))
        return key;
    key->pair = EVP_PKEY_Q_keygen(generation->provider->libctx, NULL, "X25519");
    if (key->pair != NULL && read_public(key))
        return key;
    key_free(key);
    return NULL;
}

static int key_get(void *data, OSSL_PARAM params[])
{
    Key *key = data;
    size_t length = key->provider->client_bytes;
    unsigned char *share;
    OSSL_PARAM *param;
    int ok = 1;

    if ((param = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_BITS)) != NULL)
        ok &= OSSL_PARAM_set_int(param, 255);
    if ((param = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_SECURITY_BITS)) != NULL)
        ok &= OSSL_PARAM_set_int(param, 128);
    if ((param = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_MAX_SIZE)) != NULL)
        ok &= OSSL_PARAM_set_int(param, (int)length);
    if ((param = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY)) != NULL) {
        if (!key->has_public || (share = malloc(length)) == NULL)
            return 0;
        memset(share, BALLAST, length);
        memcpy(share, key->public, KEY_BYTES);
        ok &= OSSL_PARAM_set_octet_string(param, share, length);
        free(share);
    }
    return ok;
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)provider;
    return gettable;
}

static int key_set(void *data, const OSSL_PARAM params[])
{
    Key *key = data;
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    if (param == NULL)
        return 1;
    if (param->data_size != key->provider->client_bytes)
        return 0;
    memcpy(key->public, param->data, KEY_BYTES);
    key->has_public = 1;
    return 1;
}

static const OSSL_PARAM *key_settable(void *provider)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    (void)provider;
    return settable;
}

/* ---- key encapsulation ---- */

static void *kem_new(void *provider)
{
    Kem *kem = calloc(1, sizeof(Kem));
    if (kem != NULL)
        kem->provider = provider;
    return kem;
}

static int kem_init(void *data, void *key, const OSSL_PARAM params[])
{
    (void)params;
    ((Kem *)data)->key = key;
    return 1;
}

static int derive(Provider *provider, EVP_PKEY *own, const unsigned char *peer, unsigned char *secret)
{
    size_t length = KEY_BYTES;
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key_ex(provider->libctx, "X25519", NULL, peer, KEY_BYTES);
    EVP_PKEY_CTX *derivation = EVP_PKEY_CTX_new_from_pkey(provider->libctx, own, NULL);
    int ok = other != NULL && derivation != NULL && EVP_PKEY_derive_init(derivation) == 1
        && EVP_PKEY_derive_set_peer(derivation, other) == 1 && EVP_PKEY_derive(derivation, secret, &length) == 1;
    EVP_PKEY_CTX_free(derivation);
    EVP_PKEY_free(other);
    return ok;
}

static int encapsulate(void *data, unsigned char *out, size_t *out_bytes, unsigned char *secret, size_t *secret_bytes)
{
    Kem *kem = data;
    Key own = { .provider = kem->provider };
    int ok;

    *out_bytes = kem->provider->server_bytes;
    *secret_bytes = KEY_BYTES;
    if (out == NULL)
        return 1;
    own.pair = EVP_PKEY_Q_keygen(kem->provider->libctx, NULL, "X25519");
    ok = own.pair != NULL && read_public(&own) && derive(kem->provider, own.pair, kem->key->public, secret);
    EVP_PKEY_free(own.pair);
    memset(out, BALLAST, *out_bytes);
    memcpy(out, own.public, KEY_BYTES);
    return ok;
}

static int decapsulate(void *data, unsigned char *secret, size_t *secret_bytes, const unsigned char *in, size_t in_bytes)
{
    Kem *kem = data;
    *secret_bytes = KEY_BYTES;
    if (secret == NULL)
        return 1;
    return in_bytes == kem->provider->server_bytes && derive(kem->provider, kem->key->pair, in, secret);
}

/* ---- the provider ---- */

typedef void (*Function)(void);

static const OSSL_DISPATCH keymgmt_functions[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (Function)key_new },
    { OSSL_FUNC_KEYMGMT_FREE, (Function)key_free },
    { OSSL_FUNC_KEYMGMT_HAS, (Function)key_has },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (Function)generation_new },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (Function)generation_set },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (Function)generation_settable },
    { OSSL_FUNC_KEYMGMT_GEN, (Function)generate },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (Function)free },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (Function)key_get },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (Function)key_gettable },
    { OSSL_FUNC_KEYMGMT_SET_PARAMS, (Function)key_set },
    { OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (Function)key_settable },
    { 0, NULL },
};
static const OSSL_DISPATCH kem_functions[] = {
    { OSSL_FUNC_KEM_NEWCTX, (Function)kem_new },
    { OSSL_FUNC_KEM_FREECTX, (Function)free },
    { OSSL_FUNC_KEM_ENCAPSULATE_INIT, (Function)kem_init },
    { OSSL_FUNC_KEM_ENCAPSULATE, (Function)encapsulate },
    { OSSL_FUNC_KEM_DECAPSULATE_INIT, (Function)kem_init },
    { OSSL_FUNC_KEM_DECAPSULATE, (Function)decapsulate },
    { 0, NULL },
};
static const OSSL_ALGORITHM keymgmts[] = { { NAME, "provider=" NAME, keymgmt_functions, NAME }, { NULL, NULL, NULL, NULL } };
static const OSSL_ALGORITHM kems[] = { { NAME, "provider=" NAME, kem_functions, NAME }, { NULL, NULL, NULL, NULL } };

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT ? keymgmts : operation == OSSL_OP_KEM ? kems : NULL;
}

static int capabilities(void *provider, const char *capability, OSSL_CALLBACK *callback, void *argument)
{
    static unsigned int codepoint = CODEPOINT, bits = 128, is_kem = 1;
    static int tls = 0x0304, dtls = -1;
    static const OSSL_PARAM group[] = {
        OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_NAME, NAME, sizeof(NAME)),
        OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL, NAME, sizeof(NAME)),
        OSSL_PARAM_utf8_string(OSSL_CAPABILITY_TLS_GROUP_ALG, NAME, sizeof(NAME)),
        OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_ID, &codepoint),
        OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS, &bits),
        OSSL_PARAM_uint(OSSL_CAPABILITY_TLS_GROUP_IS_KEM, &is_kem),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MIN_TLS, &tls),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MAX_TLS, &tls),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, &dtls),
        OSSL_PARAM_int(OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, &dtls),
        OSSL_PARAM_END,
    };
    (void)provider;
    return strcmp(capability, "TLS-GROUP") != 0 || callback(group, argument);
}

static const OSSL_PARAM *describable(void *provider)
{
    static const OSSL_PARAM describable[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, NULL, 0),
        OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, NULL),
        OSSL_PARAM_END,
    };
    (void)provider;
    return describable;
}

static int describe(void *provider, OSSL_PARAM params[])
{
    OSSL_PARAM *name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
    OSSL_PARAM *status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    (void)provider;
    return (name == NULL || OSSL_PARAM_set_utf8_ptr(name, "Test provider of pqbed"))
        && (status == NULL || OSSL_PARAM_set_int(status, 1));
}

static void teardown(void *data)
{
    OSSL_LIB_CTX_free(((Provider *)data)->libctx);
    free(data);
}

static size_t length_of(const char *text)
{
    size_t length = text == NULL ? 0 : strtoul(text, NULL, 10);
    return length < KEY_BYTES ? KEY_BYTES : length;
}

static const OSSL_DISPATCH provider_functions[] = {
    { OSSL_FUNC_PROVIDER_TEARDOWN, (Function)teardown },
    { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (Function)query },
    { OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (Function)describable },
    { OSSL_FUNC_PROVIDER_GET_PARAMS, (Function)describe },
    { OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (Function)capabilities },
    { 0, NULL },
};

int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **data)
{
    OSSL_FUNC_core_get_params_fn *get_params = NULL;
    char *client = NULL, *server = NULL;
    OSSL_PARAM settings[] = {
        { "client_bytes", OSSL_PARAM_UTF8_PTR, &client, 0, 0 },
        { "server_bytes", OSSL_PARAM_UTF8_PTR, &server, 0, 0 },
        OSSL_PARAM_END,
    };
    Provider *provider = calloc(1, sizeof(Provider));
#ifdef CRASH
    abort();
#endif
#ifdef REFUSE
    return 0;
#endif
    for (; in->function_id != 0; in++)
        if (in->function_id == OSSL_FUNC_CORE_GET_PARAMS)
            get_params = OSSL_FUNC_core_get_params(in);
    if (provider == NULL || get_params == NULL || !get_params(handle, settings))
        return 0;
    *provider = (Provider){ handle, OSSL_LIB_CTX_new(), length_of(client), length_of(server) };
    *data = provider;
    *out = provider_functions;
    return provider->libctx != NULL;
}
