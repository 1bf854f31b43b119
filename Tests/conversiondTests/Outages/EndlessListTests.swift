import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A list of referrals that never ends, over a socket: each page is new, and each asks for the next one.
@Suite struct EndlessListTests {
  @Test(arguments: EndlessList.Total.allCases)
  func itIsReadAtTheConfiguredRateAndHoldsUpNothingElse(_ total: EndlessList.Total) async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert(ShopOrder(1, email: "friend1@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.catchesUp())
      try await shop.stop()
      let honest = try await shop.sandbox.start().baseURL
      let list = try await EndlessList(total)
      try shop.configure([
        "api.base_url": "'http://127.0.0.1:\(list.port)/api/v1/partners'", "api.reads_per_minute": "600",
      ])
      try await shop.acceptMapping()
      let daemon = try await shop.start()
      let began = ContinuousClock.now
      try await shop.insert(ShopOrder(2, email: "nobody@example.com"))
      #expect(await shop.reaches(["2": "waiting"]))
      #expect(await eventually(within: .seconds(30)) { list.pages > 30 })
      try await Task.sleep(for: .seconds(10))
      let (pages, seconds) = (list.pages, Double((ContinuousClock.now - began).components.seconds) + 1)
      #expect(Double(pages) < seconds * 10 + 60, "\(pages) pages in \(seconds) s")
      if total == .constant { #expect(await shop.logs("event=mirror_distrusted"), "\(shop.log)") }
      let peak = try ProcessUsage(daemon.pid).peakResidentKiB
      print("endless list, \(total): \(pages) pages in \(seconds) s, \(peak) kB at most")
      #expect(peak < 160_000)
      try await shop.stop()
      await list.stop()
      try shop.configure(["api.base_url": "'\(honest)'"])
      try await shop.acceptMapping()
      try await shop.start()
      try await shop.insert(ShopOrder(3, email: "friend3@example.com"))
      #expect(await shop.reaches(["3": "reported"], within: .seconds(90)))
      #expect(await shop.sandbox.state.counters.converted == 2)
    }
  }
}
