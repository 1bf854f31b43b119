import Configuration
import Conversions
import Foundation
import PartnersAPI

/// Checks that the API can be reached and takes the key, and that the clocks agree, by one read of one referral.
struct APICheck {
  /// The most that clocks may be apart: with more, the time of an order, or the owner of the conversion that a 409
  /// means, could be misjudged.
  static let clockDifferenceMax = Duration.seconds(60)

  let configuration: Configuration.API
  let key: APIKey

  private var url: PartnersBaseURL { configuration.baseURL }

  func lines() async -> [CheckLine] {
    let resolving = NameResolving.limit.map { limit in
      CheckLine(
        .warn, "api", "\(limit): a name server that falls silent holds up all that is asked of the API",
        advice: "7.87.0 or later with the threaded resolver doesn't; or set a short timeout in /etc/resolv.conf")
    }
    return await answer() + [resolving].compactMap(\.self)
  }

  /// True if the API answers for each of these referrals that there is none; false without a clear answer.
  func knowsNone(of referrals: [ReferralID]) async -> Bool {
    guard !referrals.isEmpty else { return false }
    let client = makeClient()
    for id in referrals {
      guard await client.referral(id).saysNotFound else { return false }
    }
    return true
  }

  private func makeClient() -> PartnersClient {
    // Reads don't go through the pacer, so its file is never made.
    let pacer = WritePacer(path: NSTemporaryDirectory() + "/conversiond-check-pacer", limits: WriteLimits())
    return PartnersClient(
      baseURL: url, apiKey: key, version: Version.text, timeout: configuration.timeout, pacer: pacer)
  }

  private func answer() async -> [CheckLine] {
    var query = ReferralQuery()
    query.pageSize = 1
    let now = SystemClock().now
    switch await makeClient().list(query) {
    case .success(let page, let head):
      return [CheckLine(.ok, "api", "\(url) answers and takes the key; \(page.total) referrals")]
        + clock(head, now: now)
    case .failure(let failure, let head): return [refusal(failure, status: head.status)]
    case .transport(let failure):
      let advice =
        failure.kind == .tls
        ? TLSAdvice.advice(for: failure.message)
        : "see api.base_url, the network and a proxy's variables"
      return [CheckLine(.fail, "api", "\(url): \(failure.message)", advice: advice)]
    }
  }

  private func refusal(_ failure: APIFailure, status: Int) -> CheckLine {
    let advice: String? =
      switch status {
      case 401:
        "the key is not valid: take the current one from the partner dashboard, put it into api.key_file, restart"
      case 403: "the partner account is not approved yet: ask in the partner dashboard"
      case 300..<400: "api.base_url points to a server that sends elsewhere; redirects are never followed"
      case 404: "api.base_url is not the API's: it ends in /api/v1/partners"
      default: nil
      }
    return CheckLine(.fail, "api", "\(url) answers \(status): \(failure.message)", advice: advice)
  }

  private func clock(_ head: AnswerHead, now: Timestamp) -> [CheckLine] {
    guard let date = head.date else { return [CheckLine(.warn, "clock", "the API's answers carry no Date")] }
    // The header has whole seconds: half of one is the least error.
    return [ClockCheck.line("the API's", difference: date + .milliseconds(500) - now)]
  }
}

/// Judges how far another clock is from this host's.
enum ClockCheck {
  static func isFar(_ difference: Duration) -> Bool { difference.magnitude > APICheck.clockDifferenceMax }

  static func line(_ whose: String, difference: Duration) -> CheckLine {
    let seconds = (difference.inSeconds * 10).rounded() / 10
    let message = "\(whose) clock is \(seconds) s from this host's"
    return !isFar(difference)
      ? CheckLine(.ok, "clock", message)
      : CheckLine(.fail, "clock", message, advice: "set the host's clock: timedatectl set-ntp true")
  }
}

extension Duration {
  fileprivate var magnitude: Duration { self < .zero ? .zero - self : self }
}
