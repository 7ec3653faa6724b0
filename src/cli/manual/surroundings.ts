/** Variables that every command heeds, as the first page tells of them. */
export const variables: readonly (readonly [name: string, about: string])[] = [
  ['TSBUILD_ROOT', 'where the store lives, where --root does not say it'],
  ['XDG_DATA_HOME', 'its folder tsbuild is the store, where TSBUILD_ROOT does not say it'],
  ['TSBUILD_KEEP_STORAGE', 'the size that the store is kept within after a build, such as 20GB'],
  ['SOURCE_DATE_EPOCH', 'as --source-date-epoch'],
  ['BUILDKIT_PROGRESS', 'as --progress'],
  ['NO_COLOR', 'set to anything: no colours'],
  ['REGISTRY_AUTH_FILE, DOCKER_CONFIG', 'where the logins of registries are read from'],
  ['SSH_AUTH_SOCK', 'the agent of --ssh default'],
  ['HTTP_PROXY, HTTPS_PROXY, NO_PROXY', 'proxies to servers, in capitals or small letters'],
  ['SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS', 'authorities to trust'],
  ['COSIGN_PASSWORD', 'the password of the key of --sign'],
];

export const exitCodes: readonly (readonly [code: string, about: string])[] = [
  ['0', 'it is done'],
  ['1', 'it failed; the exit code of a failing RUN stands in the message and in --metadata-file'],
  ['2', 'wrong use: a flag, a value or a name that is not known'],
  ['130, 143', 'it was interrupted, or told to end'],
];
