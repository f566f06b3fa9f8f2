SELECT b.entity, b.addressbookaddress AS nkey, b.defaultshipping AS default_shipping,
       b.defaultbilling AS default_billing, {optional}a.addressee, a.addr1, a.addr2, a.city, a.state, a.zip,
       a.country
FROM customeraddressbook b
JOIN customeraddressbookentityaddress a ON a.nkey = b.addressbookaddress
WHERE b.entity IN ({ids})
  AND (b.entity > ? OR (b.entity = ? AND b.addressbookaddress > ?))
ORDER BY b.entity ASC, b.addressbookaddress ASC
