import Conversions

/// What a run of the mirror keeps in mind; what must outlast it is in the ledger.
struct MirrorRun: Sendable {
  /// When the run began.
  var startedAt: Timestamp
  /// The clock's jumps of which the ledger's horizon knows.
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

  /// What goes on, for the schedule.
  var running: [MirrorSchedule.Running] { walks.map { ($0.tier, $0.beganAt) } }
}
