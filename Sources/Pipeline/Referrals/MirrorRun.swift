import Conversions

/// The state of one run of the mirror; what must outlast it is in the ledger.
struct MirrorRun: Sendable {
  /// The time at which the run began.
  var startedAt: Timestamp
  /// The number of the clock's jumps that the run has followed.
  var jumps: Int
  /// The mirror's own pace, within its share of the reads; nil for as fast as the client lets it.
  var pacing: ReadPacing?
  /// Walks that go on, each interrupted by the next, smaller one.
  var walks: [WalkUnderWay] = []
  /// The uptime at which a walk's place was last stored.
  var placedAt: Duration?
  /// Referrals to be asked for one by one.
  var absent: [ReferralID] = []

  var isIdle: Bool { walks.isEmpty && absent.isEmpty }

  /// The walks that go on, for the schedule.
  var running: [MirrorSchedule.Running] { walks.map { ($0.tier, $0.beganAt) } }
}
