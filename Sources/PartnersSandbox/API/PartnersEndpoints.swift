/// Applies the API's rules without sockets: takes a request and the time, and returns an answer.
struct PartnersEndpoints: Sendable {
  var keys: PartnerKeys
  var limits: RateLimits
  var store: ReferralStore
  var replay: SandboxConfiguration.ConversionReplay
  var search: SandboxSearch
  /// Referrals as lists show them, where that is not as they are.
  var listed: [String: SandboxReferral] = [:]
  private(set) var counters = SandboxCounters()

  init(_ configuration: SandboxConfiguration) {
    keys = PartnerKeys(partners: configuration.apiKeys, unapproved: configuration.unapprovedKeys)
    limits = RateLimits(writes: configuration.writeLimit, conversions: configuration.conversionLimit)
    store = ReferralStore(seed: configuration.seed)
    replay = configuration.conversionReplay
    search = configuration.search
  }

  /// Answers one request: route, key, limits, then the endpoint, and the first that objects answers.
  ///
  /// The reference states no order. Authenticated writes count against the limit whatever becomes of them;
  /// those without a valid key don't.
  mutating func answer(_ request: SandboxRequest, address: String, now: SandboxTime) -> HTTPResponse {
    do {
      return try route(request, address: address, now: now)
    } catch {
      if let refusal = error.refusal {
        counters.rateLimited += 1
        if refusal.byConversions { counters.rateLimitedConversions += 1 }
      }
      return error.response
    }
  }

  private mutating func route(
    _ request: SandboxRequest, address: String, now: SandboxTime
  ) throws(APIError) -> HTTPResponse {
    guard let route = try Route(path: request.path) else {
      _ = try keys.partner(of: request)
      throw .noSuchEndpoint
    }
    let allowed = route.allowed.joined(separator: ", ")
    if request.method == "OPTIONS" { return HTTPResponse(status: 204, headers: [HTTPHeader("Allow", allowed)]) }
    let partner = try keys.partner(of: request)
    guard route.allowed.contains(request.method) else { throw .methodNotAllowed(allowed: allowed) }
    if request.method != "GET", request.method != "HEAD" {
      try admit(route, address: address, partner: partner, now: now)
      var query = QueryReader(request.query)
      try query.finish()
    }
    return try endpoint(route, request, partner: partner, now: now.wallMilliseconds)
  }

  private mutating func admit(
    _ route: Route, address: String, partner: String, now: SandboxTime
  ) throws(APIError) {
    var converting: String?
    if case .convert = route { converting = partner }
    if let refusal = limits.admit(address: address, converting: converting, at: now.monotonicNanoseconds) {
      throw .rateLimited(refusal)
    }
    counters.writes += 1
  }

  /// The store as lists show it; a copy that shares its storage unless it differs.
  private func listedStore(_ now: Int64) -> ReferralStore {
    var shown = store
    for referral in listed.values { shown.put(referral, now: now) }
    return shown
  }

  private mutating func endpoint(
    _ route: Route, _ request: SandboxRequest, partner: String, now: Int64
  ) throws(APIError) -> HTTPResponse {
    switch (route, request.method) {
    case (.referrals, "POST"):
      let response = try CreateEndpoint.answer(request, partner: partner, store: &store, now: now)
      if response.status == 201 { counters.created += 1 }
      return response
    case (.referrals, _):
      return try ListEndpoint.answer(request, partner: partner, store: listedStore(now), search: search)
    case (.referral(let id), "PATCH"):
      return try UpdateEndpoint.answer(request, id: id, partner: partner, store: &store, now: now)
    case (.referral(let id), _):
      var query = QueryReader(request.query)
      try query.finish()
      guard let referral = store.referral(id, of: partner) else { throw .noSuchReferral }
      return HTTPResponse(status: 200, json: referral.document)
    case (.convert(let id), _):
      let response = try ConvertEndpoint.answer(
        request, id: id, partner: partner, store: &store, replay: replay, now: now)
      if response.status == 201 { counters.converted += 1 } else { counters.replayed += 1 }
      return response
    }
  }
}
