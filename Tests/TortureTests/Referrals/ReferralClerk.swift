import Foundation
import TestHosts

/// Makes the referrals, before the run and during it, and writes down when the API knew which key of each.
actor ReferralClerk {
  /// The keys of a referral from a time on. Between the two times either may have been shown.
  struct Keys: Encodable, Sendable {
    var referral: String
    var email: String?
    var lead: String?
    /// Seconds since 1970.
    var sentAt: Double
    /// Seconds since 1970.
    var answeredAt: Double
  }

  private let sandbox: SandboxProcess
  private let friends: [Friend]
  private var late: [Friend] = []
  private var done = 0
  private(set) var keys: [Keys] = []

  init(_ sandbox: SandboxProcess, settings: TortureSettings) {
    self.sandbox = sandbox
    friends = (0..<settings.friends).map { Friend($0, seed: settings.seed) }
  }

  /// Tells the API what it knows from the start. Dozens of referrals share a time of making, as imported ones do.
  func setUp() async throws {
    let now = Date().timeIntervalSince1970
    var documents: [ReferralDocument] = []
    for friend in friends {
      let made = Int64(now * 1000) - 10 * 86_400_000 + Int64(friend.number / 40) * 1000
      documents += friend.referralsAtTheStart(madeAt: made)
      if friend.isToldLate { late.append(friend) }
    }
    for start in stride(from: 0, to: documents.count, by: 500) {
      try await sandbox.put(Array(documents[start..<min(start + 500, documents.count)]))
    }
    keys += documents.map {
      Keys(referral: $0.referralId, email: $0.friendEmail, lead: $0.externalSourceId, sentAt: now, answeredAt: now)
    }
  }

  /// Tells the API what it is told late, in the order of the friends, all but a tenth while the writers write.
  func work(seconds: Int) async throws {
    let began = ContinuousClock.now
    while !Task.isCancelled {
      let share = min(1, (ContinuousClock.now - began) / .seconds(seconds))
      while done < Int(Double(late.count) * share * 0.9) { try await tellNext() }
      if share >= 1 { return }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Tells the rest.
  func finish() async throws {
    while done < late.count { try await tellNext() }
  }

  private func tellNext() async throws {
    let friend = late[done]
    done += 1
    let sentAt = Date().timeIntervalSince1970
    var change = Keys(referral: friend.firstReferral, email: nil, lead: nil, sentAt: sentAt, answeredAt: sentAt)
    switch friend.kind {
    case .filledInLate, .referredTwice:
      change.email = friend.email
      try await sandbox.put([
        ReferralDocument(
          referralId: change.referral, status: "pending", friendEmail: friend.email, friendName: "Friend")
      ])
    case .patchedLate:
      (change.email, change.lead) = (friend.otherEmail, friend.reference)
      _ = try await sandbox.request(
        "PATCH", "/referrals/\(change.referral)", ["externalSourceId": friend.reference])
    default:
      change.email = friend.email
      let answer = try await sandbox.request(
        "POST", "/referrals",
        ["referrerIdentifier": "customer-\(friend.number)", "friendEmail": friend.email, "friendName": "Friend"])
      change.referral = try JSONDecoder().decode(Created.self, from: answer).referralId
    }
    change.answeredAt = Date().timeIntervalSince1970
    keys.append(change)
  }

  private struct Created: Decodable {
    let referralId: String
  }
}

extension Friend {
  fileprivate var firstReferral: String { "referral-\(number)" }
  /// In the API beside the reference; no order has it.
  fileprivate var otherEmail: String { "other-\(number)@example.com" }

  fileprivate var isToldLate: Bool {
    switch kind {
    case .filledInLate, .patchedLate, .madeLate, .referredTwice: true
    case .byEmail, .byReference, .longAgo: false
    }
  }

  fileprivate func referralsAtTheStart(madeAt made: Int64) -> [ReferralDocument] {
    var first = ReferralDocument(
      referralId: firstReferral, status: "pending", friendName: "Friend",
      referrerIdentifier: "customer-\(number)", createdAt: made)
    switch kind {
    case .madeLate: return []
    case .byEmail: first.friendEmail = email
    case .longAgo: (first.friendEmail, first.createdAt) = (email, made - 50 * 86_400_000)
    case .byReference: (first.friendEmail, first.externalSourceId) = (otherEmail, reference)
    case .patchedLate: first.friendEmail = otherEmail
    case .filledInLate, .referredTwice: (first.status, first.friendName) = ("clicked", nil)
    }
    guard kind == .referredTwice else { return [first] }
    let second = ReferralDocument(
      referralId: "second-referral-\(number)", status: "pending", friendEmail: email, friendName: "Friend",
      referrerIdentifier: "other-customer-\(number)", createdAt: made + 86_400_000)
    return [first, second]
  }
}
