public import Conversions

/// An API that intake and matching have no need of.
public struct NoPartners: PartnersService {
  /// An API.
  public init() {}

  /// Ends the process.
  public func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage> { fatalError("nobody lists") }
  /// Ends the process.
  public func referral(_ id: ReferralID) async -> APIAnswer<Referral> { fatalError("nobody asks") }
  /// Ends the process.
  public func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt> { fatalError("nobody creates") }
  /// Ends the process.
  public func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void> {
    fatalError("nobody updates")
  }
  /// Ends the process.
  public func reserveConversion() async throws -> SendPermit { fatalError("nobody sends") }
  /// Ends the process.
  public func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt> {
    fatalError("nobody sends")
  }
  /// Does nothing.
  public func cancel(_ permit: SendPermit) async {}
}
