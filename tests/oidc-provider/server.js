// A certified OpenID Connect provider (npm: oidc-provider) with its own pages for logging in, for tests.
//
// It listens on a port of 127.0.0.1 that the kernel chooses and says which, as a line of JSON; each line of JSON
// that it reads is what it is to be from then on, and is answered by a line:
//   {redirect_uris, people: {LOGIN: CLAIMS}, algorithm, in_token: whether the ID token holds all claims}
// Each time its keys are new ones. It ends with its input.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const KINDS = {
  RS256: ["rsa", { modulusLength: 2048 }],
  PS256: ["rsa", { modulusLength: 2048 }],
  ES256: ["ec", { namedCurve: "P-256" }],
  EdDSA: ["ed25519", {}],
};

function newKey(algorithm) {
  const [kind, options] = KINDS[algorithm];
  const jwk = generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" });
  return { ...jwk, kid: randomUUID(), use: "sig", alg: algorithm };
}

function providerOf(issuer, { redirect_uris, people, algorithm, in_token }) {
  const keys = [newKey("RS256")];
  if (algorithm !== "RS256") {
    keys.push(newKey(algorithm));
  }
  return new Provider(issuer, {
    clients: [
      {
        client_id: "lagebild",
        client_secret: "ge:heim/47",
        redirect_uris,
        id_token_signed_response_alg: algorithm,
      },
    ],
    jwks: { keys },
    cookies: { keys: [randomUUID()] },
    claims: { profile: ["name", "preferred_username", "realm_access"] },
    conformIdTokenClaims: !in_token,
    enabledJWA: { idTokenSigningAlgValues: Object.keys(KINDS) },
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true },
    findAccount: (_, login) =>
      people[login] && { accountId: login, claims: () => ({ sub: login, ...people[login] }) },
    ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 300, AccessToken: 300 },
  });
}

const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);
let answer = (_, response) => response.writeHead(503).end();

const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  say({ issuer });
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    answer = providerOf(issuer, JSON.parse(line)).callback();
    say({ ready: true });
  });
  lines.on("close", () => process.exit(0));
});
