/// Serves the endpoints beside the API that order faults, change referrals and what a search finds; without a key and
/// without limits.
///
/// | request | does |
/// |---|---|
/// | `GET /_sandbox/state` | every referral, the counters, the latest requests, the faults on order |
/// | `GET /_sandbox/faults` | the faults on order |
/// | `POST /_sandbox/faults` | orders more of them: see `FaultRuleDocument` |
/// | `DELETE /_sandbox/faults` | takes every order back |
/// | `POST /_sandbox/referrals` | adds referrals, or patches those whose `referralId` exists: see `ReferralDocument` |
/// | `GET /_sandbox/search` | what `search=` finds |
/// | `POST /_sandbox/search` | `{"mode": "words"}` replaces it: see `SandboxSearch` |
enum ControlService {
  static let prefix = "/_sandbox"

  /// A control request, once it is understood.
  enum Order: Sendable {
    case state
    case faults
    case addFaults([SandboxFaultRule])
    case removeFaults
    case putReferrals([[SandboxJSON.Member]])
    case search(SandboxSearch?)
  }

  /// Reads a control request; throws 400, 404 or 405 if it makes no sense.
  static func order(_ request: SandboxRequest) throws(APIError) -> Order {
    var query = QueryReader(request.query)
    try query.finish()
    switch (request.path, request.method) {
    case ("/_sandbox/state", "GET"), ("/_sandbox/state", "HEAD"): return .state
    case ("/_sandbox/faults", "GET"), ("/_sandbox/faults", "HEAD"): return .faults
    case ("/_sandbox/faults", "DELETE"): return .removeFaults
    case ("/_sandbox/faults", "POST"): return .addFaults(try FaultRuleDocument.rules(try document(request)))
    case ("/_sandbox/referrals", "POST"): return .putReferrals(try referrals(try document(request)))
    case ("/_sandbox/search", "GET"), ("/_sandbox/search", "HEAD"): return .search(nil)
    case ("/_sandbox/search", "POST"): return .search(try search(try document(request)))
    case ("/_sandbox/search", _): throw .methodNotAllowed(allowed: "GET, HEAD, POST")
    case ("/_sandbox/state", _): throw .methodNotAllowed(allowed: "GET, HEAD")
    case ("/_sandbox/faults", _): throw .methodNotAllowed(allowed: "GET, HEAD, POST, DELETE")
    case ("/_sandbox/referrals", _): throw .methodNotAllowed(allowed: "POST")
    default: throw .noSuchEndpoint
    }
  }

  private static func document(_ request: SandboxRequest) throws(APIError) -> SandboxJSON {
    do {
      return try JSONReader.read(request.body)
    } catch {
      throw .validation([FieldIssue("body", "Not JSON: \(error.reason) (at byte \(error.offset))")])
    }
  }

  private static func search(_ document: SandboxJSON) throws(APIError) -> SandboxSearch {
    guard let search = document["mode"]?.text.flatMap({ SandboxSearch($0) }) else {
      throw .validation([FieldIssue("mode", "Must be one of \(SandboxSearch.allNames)")])
    }
    return search
  }

  private static func referrals(_ document: SandboxJSON) throws(APIError) -> [[SandboxJSON.Member]] {
    let elements = document.elements ?? document["referrals"]?.elements ?? [document]
    let members = elements.compactMap(\.members)
    guard members.count == elements.count else {
      throw .validation([FieldIssue("referrals", "Must be a list of objects")])
    }
    return members
  }
}
