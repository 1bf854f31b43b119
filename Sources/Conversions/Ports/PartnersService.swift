/// The partners API's five endpoints. Reads and writes wait for their turn with the pacer; a write that the pacer has
/// let through is never retried here: what an answer means is for the caller to decide.
public protocol PartnersService: Sendable {
  /// Sends GET /referrals.
  func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage>
  /// Sends GET /referrals/{referralId}.
  func referral(_ id: ReferralID) async -> APIAnswer<Referral>
  /// Sends POST /referrals.
  func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt>
  /// Sends PATCH /referrals/{referralId}. The reference doesn't say what it answers with, so nothing is promised.
  func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void>
  /// Waits until the limits allow one conversion, and reserves it.
  ///
  /// Stands apart from `convert`, so that what must be looked at right before a send is looked at after the wait, not
  /// before it.
  ///
  /// - Throws: `CancellationError`; `PacingFailure` where the shared state can't be kept.
  func reserveConversion() async throws -> SendPermit
  /// Sends POST /referrals/{referralId}/convert with the report's frozen body.
  func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt>
  /// Gives a permit back unused.
  func cancel(_ permit: SendPermit) async
}

/// The right to send one write now.
public struct SendPermit: Hashable, Sendable {
  /// The number that tells it from others of this process.
  public let number: UInt64
  /// The number of refusals that its pacer had met when it gave it out: after another one it is worth nothing.
  public let refusals: UInt64
  /// The uptime from which on it is worth nothing, as it is not counted any more; nil for no such time.
  public let goodUntil: Duration?

  /// Makes a permit that a pacer gave out.
  public init(number: UInt64, refusals: UInt64 = 0, goodUntil: Duration? = nil) {
    (self.number, self.refusals, self.goodUntil) = (number, refusals, goodUntil)
  }
}

/// The state that all programs of this host share to keep the API's limits can't be read or written. Nothing is sent
/// then.
public struct PacingFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The failure and its place, in words.
  public var description: String

  /// Makes a failure in words.
  public init(_ description: String) { self.description = description }
}
