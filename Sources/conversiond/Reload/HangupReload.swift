import ServiceLifecycle
import UnixSignals

/// Loads the configuration again at each SIGHUP, as daemons do.
struct HangupReload: Service {
  let reloader: Reloader

  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sighup)
    for await _ in signals.cancelOnGracefulShutdown() { _ = await reloader.reload(asked: "SIGHUP") }
    // A service that returns ends its group.
    try? await gracefulShutdown()
  }
}
