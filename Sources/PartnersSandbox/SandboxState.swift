/// What a sandbox holds at one instant.
public struct SandboxState: Sendable {
  /// Every referral of every partner, in the order they were added.
  public let referrals: [SandboxReferral]
  /// What was counted.
  public let counters: SandboxCounters
  /// The latest requests to the API, the oldest first.
  public let requests: [SandboxRequestRecord]
  /// The faults still on order.
  public let faults: [SandboxFaultRule]

  /// The referral of that ID.
  public func referral(_ id: String) -> SandboxReferral? { referrals.first { $0.referralID == id } }

  /// The referrals that are converted.
  public var converted: [SandboxReferral] { referrals.filter { $0.status == .converted } }
}

extension SandboxState {
  /// What `GET /_sandbox/state` answers.
  var document: SandboxJSON {
    [
      "referrals": .array(referrals.map(\.documentForControl)),
      "counters": [
        "requests": .integer(counters.requests), "writes": .integer(counters.writes),
        "created": .integer(counters.created), "converted": .integer(counters.converted),
        "replayed": .integer(counters.replayed), "rateLimited": .integer(counters.rateLimited),
        "rateLimitedConversions": .integer(counters.rateLimitedConversions), "faults": .integer(counters.faults),
        "writesInFlightMax": .integer(counters.writesInFlightMax),
      ],
      "requests": .array(requests.map { .string($0.line) }),
      "faults": .array(faults.map(\.document)),
    ]
  }
}
