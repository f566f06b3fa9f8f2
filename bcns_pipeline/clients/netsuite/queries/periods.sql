SELECT id, periodname AS name, TO_CHAR(startdate, 'YYYY-MM-DD') AS start_date,
       TO_CHAR(enddate, 'YYYY-MM-DD') AS end_date, closed, alllocked AS locked
FROM accountingperiod
WHERE isposting = 'T'
  AND isquarter = 'F'
  AND isyear = 'F'
  AND isadjust = 'F'
  AND enddate >= TO_DATE(?, 'YYYY-MM-DD')
  AND startdate <= TO_DATE(?, 'YYYY-MM-DD')
ORDER BY startdate ASC, id ASC
