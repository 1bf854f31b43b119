import Foundation

/// Looks at the daemon's complete sweeps of the referrals: what the API showed before the last one began, the daemon
/// must know; what it showed since then, it may.
actor SweepWatch {
  struct Sweep: Encodable, Sendable, Hashable {
    /// Seconds since 1970; not earlier than this.
    var began: Double
    /// As `status` tells it.
    var ended: String
  }

  private(set) var sweeps: [Sweep] = []

  func watch(_ daemon: DaemonProcess) async {
    while !Task.isCancelled {
      let before = Date().timeIntervalSince1970
      note(await daemon.status(), askedAt: before)
      try? await Task.sleep(for: .seconds(1))
    }
  }

  func note(_ status: DaemonProcess.Status?, askedAt time: Double) {
    guard let mirror = status?.mirror, let ended = mirror.completeSweepAt, let age = mirror.ageSeconds else { return }
    guard sweeps.last?.ended != ended else { return }
    // The age is in whole seconds, and was told after we asked: rather too early than too late.
    sweeps.append(Sweep(began: time - Double(age) - 1, ended: ended))
  }
}
