import Ledger
import ServiceLifecycle

/// Ends the daemon, with 65, once the ledger turns out to be damaged while it is in use: nothing that is read from it
/// can be trusted any more, and what is written may damage it further.
struct DamageWatch: Service {
  let ledger: SQLiteLedger

  func run() async throws {
    let failure = await cancelWhenGracefulShutdown { await ledger.damage() }
    if let failure { throw CommandFailure(failure) }
  }
}
