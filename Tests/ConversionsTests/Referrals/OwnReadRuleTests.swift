import Conversions
import Testing

/// Lists that show a referral as it was before it was read by itself.
@Suite struct OwnReadRuleTests {
  private static let read = Timestamp(milliseconds: 1_765_000_000_000)

  /// The state that is known from the GET, the one before it, the one that a list shows, the seconds between, and true
  /// if the GET outranks the list.
  struct Case: Sendable {
    var known: (ReferralStatus, email: String?, id: String?) = (.pending, "ana@example.com", "lead_2")
    var ended: (ReferralStatus, email: String?, id: String?)?
    var listed: (ReferralStatus, email: String?, id: String?) = (.pending, "ana@example.com", "lead_2")
    var after = 1
    var outranks: Bool
  }

  @Test(arguments: [
    Case(outranks: false),
    // An earlier stage of its life.
    Case(listed: (.clicked, "ana@example.com", "lead_2"), outranks: true),
    Case(listed: (.clicked, "ana@example.com", "lead_2"), after: 899, outranks: true),
    Case(listed: (.clicked, "ana@example.com", "lead_2"), after: 900, outranks: false),
    Case(listed: (.clicked, "ana@example.com", "lead_2"), after: -1, outranks: false),
    Case(listed: (.converted, "ana@example.com", "lead_2"), outranks: false),
    Case(known: (.converted, nil, nil), listed: (.expired, nil, nil), outranks: false),
    // A key less.
    Case(listed: (.pending, nil, "lead_2"), after: 899, outranks: true),
    Case(listed: (.pending, "ana@example.com", nil), after: 899, outranks: true),
    Case(known: (.pending, nil, "lead_2"), outranks: false),
    // The keys before it, which a partner may have put back, and others.
    Case(
      ended: (.pending, "ana@example.com", "lead_1"), listed: (.pending, "ana@example.com", "lead_1"), outranks: true),
    Case(
      ended: (.pending, "ana@example.com", "lead_1"), listed: (.pending, "ana@example.com", "lead_1"), after: 60,
      outranks: false),
    Case(
      ended: (.pending, "ana@example.com", "lead_1"), listed: (.pending, "ana@example.com", "lead_3"), outranks: false),
  ])
  func aGETOutranksListsThatLagBehind(_ test: Case) {
    let read = OwnRead(readAt: Self.read, ended: test.ended.map { referral($0).stateDigest })
    let listed = referral(test.listed, seenAt: Self.read + .seconds(test.after))
    #expect(read.outranks(listed, known: referral(test.known)) == test.outranks)
  }

  /// The state known, the one that an answer shows, the seconds by which the first was seen after the answer was asked
  /// for, and true if the answer would open it again.
  @Test(arguments: [
    (ReferralStatus.converted, ReferralStatus.pending, 1, true), (.expired, .clicked, 1, true),
    (.converted, .pending, 0, false), (.converted, .pending, -1, false), (.converted, .expired, 1, false),
    (.pending, .clicked, 1, false),
  ])
  func noOverlappingAnswerOpensAReferralAgain(
    known: ReferralStatus, shown: ReferralStatus, seconds: Int, isReopened: Bool
  ) {
    let answer = Referral(id: ReferralID("r1"), status: shown, createdAt: Self.read)
    let known = referral((known, nil, nil), seenAt: Self.read + .seconds(seconds))
    #expect(known.isReopened(by: answer, askedAt: Self.read) == isReopened)
  }

  @Test func aWalkIsAskedForByTheNewestOrderAlone() {
    var progress = MirrorProgress()
    for (asked, wanted) in [(0, 0), (60, 60), (30, 60), (60, 60), (61, 61)] {
      progress.wantOpenWalk(at: Self.read + .seconds(asked))
      #expect(progress.openWalkWantedAt == Self.read + .seconds(wanted))
    }
    progress.wantFullSweep(at: Self.read)
    #expect(progress.fullSweepWantedAt == Self.read)
  }

  private func referral(
    _ state: (ReferralStatus, email: String?, id: String?), seenAt: Timestamp = read
  ) -> MirroredReferral {
    MirroredReferral(
      Referral(
        id: ReferralID("r1"), status: state.0, friendEmail: state.email, createdAt: Self.read,
        externalSourceID: state.id), seenAt: seenAt)
  }
}
