import Foundation
import PartnersSandbox

extension SandboxConfiguration {
  /// A sandbox without limits.
  static var unlimited: Self {
    var configuration = Self()
    (configuration.writeLimit, configuration.conversionLimit) = (nil, nil)
    return configuration
  }
}

extension SandboxReferral {
  /// A referral of another customer, open unless said otherwise.
  init(
    _ id: String, email: String?, lead: String? = nil, status: Status = .pending, daysAgo: Double = 5,
    referrer: String? = nil
  ) {
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    self.init(
      referralID: id, status: status, friendEmail: email, friendName: email == nil ? nil : "Friend",
      createdAt: now - Int64(daysAgo * 86_400_000), convertedAt: status == .converted ? now - 3_600_000 : nil,
      conversionValue: status == .converted ? 4200 : nil, referrerIdentifier: referrer ?? "cust_\(id)",
      externalSourceID: lead)
  }
}

extension SandboxState {
  /// The reports of conversions that arrived, whatever was answered.
  var reports: [SandboxRequestRecord] { requests.filter { $0.method == "POST" && $0.path.hasSuffix("/convert") } }

  /// The body of each report, in the order in which they arrived.
  var reportedBodies: [String] { reports.map { String(decoding: $0.body, as: UTF8.self) } }
}
