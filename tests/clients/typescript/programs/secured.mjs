// Calls of every shape over an encrypted connection with an API key. Argument: JSON of the address, the key and files.
import { readFileSync } from "node:fs";

import { AbsFinanceError, connect, Panel } from "@abs-finance/client";

const { address, key, authority, certificate, privateKey } = JSON.parse(process.argv[2]);
const ca = readFileSync(authority);
const own = { cert: readFileSync(certificate), key: readFileSync(privateKey) };
const found = {};

const panel = Panel.of(["A", "B"], ["2024-01-02", "2024-01-03"], [[1, 3], [2, 4]]);
const client = connect(address, { tls: { ca, ...own }, token: async () => key });
const imported = await client.importPrices(panel).catch(described);
found.imported = imported.symbolCount ?? imported;
const prices = await client.prices({ symbols: ["A", "B"] }).catch(described);
found.prices = prices.column ? [prices.isoDates(), [...prices.column("B")]] : prices;
client.close();

found.nobody = await refused({ tls: { ca, ...own } });
found.unknownAuthority = await refused({ tls: own, token: key, timeoutMs: 20_000 });
found.noCertificate = await refused({ tls: { ca }, token: key, timeoutMs: 20_000 });
found.clearText = await refused({ token: key, timeoutMs: 20_000 });
console.log(JSON.stringify(found));

async function refused(options) {
  const other = connect(address, options);
  try {
    await other.portfolios.listPortfolios({});
    return "answered";
  } catch (error) {
    return described(error);
  } finally {
    other.close();
  }
}

function described(error) {
  return error instanceof AbsFinanceError ? `${error.name} ${error.reason}` : `untyped: ${error}`;
}
