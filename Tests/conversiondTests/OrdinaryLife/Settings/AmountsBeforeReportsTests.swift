import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

@Suite struct AmountsBeforeReportsTests {
  @Test func aTotalWithDecimalsIsNotReadUntilItsUnitIsSaid() async throws {
    try await DaemonFixture.with(["orders.total_unit": nil]) { shop in
      try await shop.sandbox.put([.init("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com", total: "50.00"))
      let check = try await shop.run("check")
      #expect(check.end == .exited(1))
      #expect(check.output.contains(#/FAIL .*orders.total_unit has no default/#), "\(check.output)")
      try await shop.start()
      #expect(await eventually(within: .seconds(20)) { shop.log.contains("orders.total_unit has no default") })
      #expect(await shop.sandbox.state.reports.isEmpty)
      try await shop.stop()
      try shop.configure(["orders.total_unit": "major"])
      try await shop.start()
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.sandbox.state.referral("r")?.conversionValue == 5000)
      #expect(await shop.logs("the newest order would be reported as 50.00 EUR: order 1, placed "), "\(shop.log)")
    }
  }

  @Test func aHoldThatIsNotWrittenOutIsAsked() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1, email: "ana@example.com", total: "13344"))
      let check = try await shop.run("check")
      #expect(check.end == .exited(0), "\(check.output)")
      #expect(check.output.contains(#/warn +reporting.hold +is not in the file/#))
      #expect(check.output.contains("the largest order would be reported as 133.44 EUR: order 1, placed "))
      try shop.configure(["reporting.hold": "0s"])
      #expect(try await !shop.run("check").output.contains("reporting.hold"))
    }
  }
}
