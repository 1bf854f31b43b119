import Conversions

/// The partners API, with each request a rest of the loop that makes it: a request ends by its own time limit, and may wait
/// long for its turn with the pacer.
struct RestingPartners: PartnersService {
  let base: any PartnersService

  func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage> {
    await LoopProgress.rest { await base.list(query) }
  }

  func referral(_ id: ReferralID) async -> APIAnswer<Referral> { await LoopProgress.rest { await base.referral(id) } }

  func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt> {
    await LoopProgress.rest { await base.create(draft) }
  }

  func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void> {
    await LoopProgress.rest { await base.update(id, change) }
  }

  func reserveConversion() async throws -> SendPermit {
    try await LoopProgress.rest { try await base.reserveConversion() }
  }

  func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt> {
    await LoopProgress.rest { await base.convert(report, permit: permit) }
  }

  func cancel(_ permit: SendPermit) async { await base.cancel(permit) }
}
