import Foundation
import TestHosts

/// Waits, once nothing is written any more, until the daemon has done what it will do.
struct FinalCounts: Sendable {
  /// The time without any change, with an empty queue, after which nothing more is expected: longer than the rest
  /// between two sweeps of the referrals, and than most back-offs.
  static let patience = Duration.seconds(60)
  static let limit = Duration.seconds(200)
  /// The time in which no late wrong report must come, with nothing missed.
  static let afterwards = Duration.seconds(6)

  let oracle: Oracle
  let daemon: DaemonProcess
  let sweeps: SweepWatch

  /// - Returns: The last comparison: nothing is missed, or nothing has changed for long, or the time is over.
  func read(expectsMisses: Bool) async throws -> Oracle.Counts {
    let deadline = ContinuousClock.now + Self.limit
    var (counts, inFlight): (Oracle.Counts?, Int?) = (nil, nil)
    var lastChange = ContinuousClock.now
    while ContinuousClock.now < deadline {
      try await Task.sleep(for: .seconds(2))
      let before = inFlight
      inFlight = await daemon.status().map { $0.count("queued", "sending", "held") }
      if inFlight != before { lastChange = .now }
      // A comparison is work for the daemon, too: while it sends, it is left alone.
      guard let inFlight, inFlight == before else { continue }
      let now = try await oracle.compare()
      if now != counts || inFlight != now.inDoubt { lastChange = .now }
      counts = now
      let discarded = now.missed > 0 && !expectsMisses ? try await daemon.discardMissing() : 0
      if discarded > 0 {
        print("torture: \(discarded) orders whose rows were deleted together were discarded")
        lastChange = .now
      }
      let patience = now.missed == 0 && !expectsMisses ? Self.afterwards : Self.patience
      if ContinuousClock.now - lastChange >= patience { break }
    }
    try await oracle.add(await sweeps.sweeps)
    try await oracle.askForFirstSends()
    return try await oracle.compare()
  }
}
