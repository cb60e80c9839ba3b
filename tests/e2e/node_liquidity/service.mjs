// LiquidityService in Node: the argument is the folder protos/ of the contract. Prints its address, serves until its
// standard input ends. tests/e2e/liquidity_process.py answers the same; its head says what for which symbol.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const definition = loader.loadSync("absfinance/v1/liquidity_service.proto", {
  includeDirs: [process.argv[2]],
  longs: Number,
});
const { LiquidityService } = grpc.loadPackageDefinition(definition).absfinance.v1;
const AVAILABLE = 40;
let calls = 0;
let busy = 0;

function asset({ symbol, quantity }) {
  const size = Math.abs(quantity);
  const enough = size <= AVAILABLE;
  return {
    symbol,
    state: enough ? "LIQUIDITY_STATE_SUFFICIENT" : "LIQUIDITY_STATE_PARTIAL",
    availableQuantity: AVAILABLE,
    averageDailyVolume: 400,
    participation: size / 400,
    daysToTrade: size / AVAILABLE,
    score: Math.min(1, AVAILABLE / size),
  };
}

const NONSENSE = {
  NEGATIVE: (all) => [{ ...all[0], daysToTrade: -1 }, ...all.slice(1)],
  NAN: (all) => [{ ...all[0], availableQuantity: NaN }, ...all.slice(1)],
  INFINITE: (all) => [{ ...all[0], averageDailyVolume: Infinity }, ...all.slice(1)],
  SCORE: (all) => [{ ...all[0], score: 1.5 }, ...all.slice(1)],
  OTHER: (all) => [...all, { ...all[0], symbol: "ELSEWHERE" }],
  MISSING: (all) => all.slice(1),
  TWICE: (all) => [all[0], ...all],
  STATELESS: (all) => [{ ...all[0], state: 0 }, ...all.slice(1)],
  CLAIMED: (all) => [{ ...all[0], state: "LIQUIDITY_STATE_SUFFICIENT", availableQuantity: 1 }, ...all.slice(1)],
  WITHOUT: (all) => [{ ...all[0], availableQuantity: undefined }, ...all.slice(1)],
  LARGE: (all) => [...all, { symbol: "x".repeat(5 << 20) }],
};

function assessLiquidity(call, done) {
  calls += 1;
  const { trades } = call.request;
  const kind = trades.map((trade) => trade.symbol).find((symbol) => symbol.length > 1);
  const refuse = (code) => done({ code, details: "SECRET of the desk" });
  if (kind === "HANG") return;
  if (kind === "ERROR") return refuse(grpc.status.INTERNAL);
  if (kind === "DENIED") return refuse(grpc.status.PERMISSION_DENIED);
  if (kind === "DOWN") return refuse(grpc.status.UNAVAILABLE);
  if (kind === "BUSY" && (busy = (busy + 1) % 3)) return refuse(grpc.status.UNAVAILABLE);
  const all = trades.map(asset);
  const assets = kind in NONSENSE ? NONSENSE[kind](all) : all;
  done(null, { assessment: { state: "LIQUIDITY_STATE_PARTIAL", assets } });
}

const server = new grpc.Server();
server.addService(LiquidityService.service, { assessLiquidity });
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`127.0.0.1:${port}`);
});
// A line on standard input asks how often the service was called.
process.stdin.on("data", () => console.log(calls));
process.stdin.on("end", () => process.exit(0));
