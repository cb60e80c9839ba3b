// Follows signals, notifications and recomputations. Arguments: address of the server, number of events, 10 if absent.
import { connect, NotSupported } from "@abs-finance/client";

const client = connect(process.argv[2]);
const most = Number(process.argv[3] ?? 10);
let count = 0;
try {
  for await (const { sequence, event } of client.watchEvents()) {
    if (event.case === "snapshot") {
      console.log(`events ${event.value.oldestSequence} to ${event.value.newestSequence} are retained`);
    } else if (event.case === "signal") {
      console.log(`${sequence}: signal: ${event.value.message}`);
    } else if (event.case === "recomputation") {
      console.log(`${sequence}: ${event.value.portfolio} was recomputed`);
    } else if (event.case === "notification") {
      console.log(`${sequence}: ${event.value.name}: ${event.value.message}`);
    }
    count += event.case === "snapshot" ? 0 : 1;
    if (count >= most) break;
  }
} catch (error) {
  if (!(error instanceof NotSupported)) throw error;
  console.log("this server has no events yet");
} finally {
  client.close();
}
