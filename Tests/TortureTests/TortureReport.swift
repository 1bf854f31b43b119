/// The result of a run, for the log and the expectations.
struct TortureReport: Sendable {
  let counts: Oracle.Counts
  /// A line for each order that was missed, each conversion that was wrong, each report that was refused.
  let missed: [String]
  let wrong: [String]
  let refused: [String]

  init(
    _ torture: Torture, counts: Oracle.Counts, missed: [String], wrong: [String], writers: [Writer]
  ) async throws {
    (self.counts, self.missed, self.wrong) = (counts, missed, wrong)
    refused = torture.sandbox.refusedReports
    var made: [String: Int] = [:]
    var failures: [String: Int] = [:]
    for writer in writers {
      made.merge(await writer.made.map { ($0.key.rawValue, $0.value) }) { $0 + $1 }
      failures.merge(await writer.failures) { $0 + $1 }
    }
    let settings = torture.settings
    print(
      """
      torture \(torture.scene): seed \(settings.seed), \(settings.seconds) s, \(settings.writers) writers
      torture \(torture.scene): \(Self.line(made)); failed: \(Self.line(failures))
      torture \(torture.scene): orders \(counts.orders), versions \(counts.versions), qualifying \(counts.qualifying), \
      matched \(counts.matched) to \(counts.matchedReferrals) referrals, reported \(counts.reported), \
      missed \(counts.missed), wrong \(counts.wrong), refused \(refused.count), in doubt \(counts.inDoubt)
      """)
    let findings = missed + wrong + refused
    for line in findings.prefix(60) { print("torture \(torture.scene): \(line)") }
    if !findings.isEmpty { print(torture.daemon.log.suffix(6000)) }
  }

  private static func line(_ counts: [String: Int]) -> String {
    counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }
}
