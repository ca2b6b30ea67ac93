// Debian 12 has Node 18, which keeps Web Cryptography in a module of its own; the libraries look for it where newer ones
// have it. Import this first.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
