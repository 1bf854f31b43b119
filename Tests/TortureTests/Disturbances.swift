import Foundation
import TestHosts

/// Kills and restarts while the writers write.
struct Disturbances: Sendable {
  enum Kind: String, Sendable {
    case killDaemon
    case restartFast
    case restartImmediate
    case restartPrimary
  }

  let daemon: DaemonProcess
  let primary: PostgresCluster
  /// The server that the daemon reads.
  let shop: PostgresCluster

  /// Shares of the writers' time.
  static func plan(for scene: Torture.Scene) -> [(at: Double, kind: Kind)] {
    switch scene {
    case .primary:
      [
        (0.15, .killDaemon), (0.3, .restartFast), (0.45, .killDaemon), (0.6, .restartImmediate), (0.75, .killDaemon),
        (0.95, .killDaemon),
      ]
    case .standby:
      [
        (0.15, .killDaemon), (0.3, .restartFast), (0.45, .restartPrimary), (0.6, .killDaemon),
        (0.75, .restartImmediate), (0.9, .killDaemon),
      ]
    case .withoutTheSweep: []
    }
  }

  func happen(_ plan: [(at: Double, kind: Kind)], seconds: Int, seed: UInt64) async throws {
    let began = ContinuousClock.now
    var choices = SeededGenerator(seed: seed, stream: 999)
    for (share, kind) in plan {
      try await Task.sleep(until: began + .seconds(Double(seconds) * share), clock: .continuous)
      switch kind {
      case .killDaemon:
        try await daemon.stop(SIGKILL)
        try await Task.sleep(for: .milliseconds(choices.int(0...1500)))
        try daemon.start()
      case .restartFast: try await shop.restart(.fast)
      case .restartImmediate: try await shop.restart(.immediate)
      case .restartPrimary: try await primary.restart(.immediate)
      }
    }
  }
}
