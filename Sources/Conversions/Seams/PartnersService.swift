/// The partners API's five endpoints. Reads and writes wait for their turn with the pacer; a write that the pacer has
/// let through is never retried here: what an answer means is for the caller to decide.
public protocol PartnersService: Sendable {
  /// GET /referrals.
  func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage>
  /// GET /referrals/{referralId}.
  func referral(_ id: ReferralID) async -> APIAnswer<Referral>
  /// POST /referrals.
  func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt>
  /// PATCH /referrals/{referralId}. The reference doesn't say what it answers with, so nothing is promised.
  func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void>
  /// Waits until the limits allow one conversion, and reserves it.
  ///
  /// Apart from `convert`, so that what must be looked at right before a send is looked at after the wait, not before it.
  ///
  /// - Throws: `CancellationError`; `PacingFailure` where the shared state can't be kept.
  func reserveConversion() async throws -> SendPermit
  /// POST /referrals/{referralId}/convert with the report's frozen body.
  func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt>
  /// Gives a permit back unused.
  func cancel(_ permit: SendPermit) async
}

/// The right to send one write now.
public struct SendPermit: Hashable, Sendable {
  /// Tells it from others of this process.
  public let number: UInt64
  /// How many refusals its pacer had heard of when it gave it out: after another one it is worth nothing.
  public let refusals: UInt64
  /// The uptime from which on it is worth nothing, as nobody counts it any more; nil where nothing is counted.
  public let goodUntil: Duration?

  /// A permit that a pacer gave out.
  public init(number: UInt64, refusals: UInt64 = 0, goodUntil: Duration? = nil) {
    (self.number, self.refusals, self.goodUntil) = (number, refusals, goodUntil)
  }
}

/// The state that all programs of this host share to keep the API's limits can't be read or written. Nothing is sent then.
public struct PacingFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What failed and where.
  public var description: String

  /// A failure in words.
  public init(_ description: String) { self.description = description }
}
