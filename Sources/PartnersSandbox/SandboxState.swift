/// The content of a sandbox at one instant.
public struct SandboxState: Sendable {
  /// Every referral of every partner, in the order they were added.
  public let referrals: [SandboxReferral]
  /// The counts of the sandbox.
  public let counters: SandboxCounters
  /// The latest requests to the API, the oldest first.
  public let requests: [SandboxRequestRecord]
  /// The faults still on order.
  public let faults: [SandboxFaultRule]

  /// Returns the referral of that ID.
  public func referral(_ id: String) -> SandboxReferral? { referrals.first { $0.referralID == id } }

  /// The referrals that are converted.
  public var converted: [SandboxReferral] { referrals.filter { $0.status == .converted } }
}

extension SandboxState {
  /// The answer to `GET /_sandbox/state`.
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
