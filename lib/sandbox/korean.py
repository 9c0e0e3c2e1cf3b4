"""Korean people and places: real names, districts, roads and zip codes; nobody's number or mailbox.

Family names by their frequency in the 2015 census, in thousandths; zip code ranges lie inside those of the
district. Mobile numbers begin with 010-0 or 010-1 and landline numbers with 02-1000: no subscriber has such
a number, yet they pass for well-formed ones. Mailboxes are in the domains of RFC 2606.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random

_FAMILY_NAMES = """
김 215 이 147 박 84 최 47 정 43 강 24 조 21 윤 21 장 20 임 17 한 15 오 15 서 15 신 15 권 14 황 14 안 14 송 14
류 13 전 11 홍 11 고 9 문 9 양 9 손 9 배 8 백 8 허 7 유 7 남 6 심 5 노 5 하 5 곽 4 성 4 차 4 주 4 우 4 구 4
민 3 나 3 진 3 지 3 엄 3 채 3 원 3 천 2 방 2 공 2 현 2 함 2 변 2 염 1 여 1 추 1 도 1 소 1 석 1 선 1 설 1 마 1
남궁 1 황보 1 제갈 1 선우 1
"""
_GIVEN_NAMES = """
지훈 성민 현우 동현 준호 민수 상현 진우 승현 재현 성호 정훈 영호 민준 준영 태현 성진 우진 경민 상훈 용준 병철
영수 기현 건우 도현 시우 지호 태호 승민 종혁 대호 세훈 원석 은호 인성 혁 준 결 민재
지영 은정 미경 현정 은주 지은 유진 수진 민정 은영 지현 혜진 은지 지혜 보람 아름 수빈 민지 예진 지원 소영 미영
경희 영숙 정숙 순자 하은 서연 나래 슬기 가을 혜원 다은 채원 윤서 은비 말순 선희 명자 윤 솔 봄
"""

# Population weight | district | zip codes | roads.
_PLACES = """
9|서울특별시 강남구|06000-06370|테헤란로 논현로 도곡로 학동로 언주로 선릉로
8|서울특별시 서초구|06500-06790|반포대로 서초대로 방배로 사평대로
11|서울특별시 송파구|05500-05850|올림픽로 송파대로 백제고분로 오금로
8|서울특별시 강동구|05200-05410|천호대로 양재대로 성내로
6|서울특별시 광진구|04900-05110|능동로 자양로 아차산로
5|서울특별시 성동구|04700-04800|왕십리로 고산자로 성수이로
4|서울특별시 용산구|04300-04420|한강대로 이태원로 녹사평대로
6|서울특별시 마포구|03900-04210|월드컵로 양화로 독막로 마포대로
5|서울특별시 서대문구|03600-03780|연세로 통일로 증가로
8|서울특별시 은평구|03300-03510|은평로 진관2로 서오릉로
2|서울특별시 종로구|03000-03190|종로 율곡로 자하문로
7|서울특별시 성북구|02700-02870|동소문로 보문로 정릉로
6|서울특별시 동대문구|02400-02640|왕산로 회기로 답십리로
8|서울특별시 노원구|01600-01910|동일로 노해로 상계로
7|서울특별시 동작구|06900-07070|노량진로 상도로 사당로
8|서울특별시 관악구|08700-08860|관악로 남부순환로 신림로
6|서울특별시 영등포구|07200-07440|여의대로 국제금융로 당산로
9|서울특별시 강서구|07500-07800|공항대로 화곡로 마곡중앙로
7|서울특별시 양천구|07900-08100|목동동로 신월로 오목로
6|서울특별시 구로구|08200-08380|디지털로 경인로 구로중앙로
8|경기도 수원시 영통구|16500-16700|광교로 영통로 매영로
8|경기도 성남시 분당구|13450-13640|판교역로 분당로 황새울로 성남대로
8|경기도 용인시 수지구|16800-16890|포은대로 풍덕천로 성복1로
9|경기도 용인시 기흥구|16910-17100|구성로 동백중앙로 중부대로
7|경기도 고양시 일산동구|10300-10450|중앙로 정발산로 고봉로
9|경기도 부천시 원미구|14400-14640|길주로 부천로 신흥로
7|경기도 안양시 동안구|14040-14120|시민대로 관악대로 평촌대로
8|경기도 안산시 단원구|15250-15450|고잔로 광덕대로 중앙대로
9|경기도 화성시|18450-18600|동탄대로 동탄순환대로 노작로
8|경기도 김포시|10010-10130|김포대로 김포한강1로 돌문로
8|경기도 남양주시|12050-12270|경춘로 다산중앙로 늘을2로
6|경기도 하남시|12910-13020|미사강변대로 하남대로 신평로
7|경기도 파주시|10850-10930|금릉역로 문발로 와석순환로
8|경기도 평택시|17720-17920|경기대로 평택로 비전5로
6|경기도 의정부시|11610-11790|시민로 평화로 청사로
7|인천광역시 연수구|21900-22010|컨벤시아대로 송도과학로 청능대로
8|인천광역시 남동구|21500-21690|인주대로 구월로 소래역로
8|인천광역시 부평구|21300-21450|부평대로 장제로 부흥로
7|부산광역시 해운대구|48000-48110|해운대로 센텀중앙로 좌동순환로
6|부산광역시 부산진구|47100-47380|중앙대로 가야대로 동평로
5|부산광역시 동래구|47700-47880|명륜로 충렬대로 아시아드대로
3|부산광역시 수영구|48200-48310|광안해변로 수영로 무학로
7|대구광역시 수성구|42000-42270|달구벌대로 동대구로 용학로
9|대구광역시 달서구|42600-42850|월배로 상인서로 와룡로
7|대구광역시 북구|41400-41580|대학로 칠곡중앙대로 옥산로
6|대전광역시 유성구|34000-34210|대학로 계룡로 노은로
8|대전광역시 서구|35200-35410|둔산로 한밭대로 계백로
6|광주광역시 서구|61900-62070|상무중앙로 내방로 풍암중앙로
7|광주광역시 북구|61000-61240|용봉로 하서로 서하로
5|울산광역시 남구|44600-44780|삼산로 중앙로 문수로
6|세종특별자치시|30050-30150|한누리대로 도움로 새롬중앙로
5|강원특별자치도 춘천시|24200-24450|중앙로 금강로 영서로
6|강원특별자치도 원주시|26300-26490|서원대로 시청로 원일로
6|충청북도 청주시 흥덕구|28370-28450|가경로 대농로 직지대로
7|충청남도 천안시 서북구|31080-31170|불당대로 번영로 쌍용대로
5|충청남도 아산시|31450-31580|시민로 온천대로 번영로
6|전북특별자치도 전주시 완산구|54950-55120|홍산로 백제대로 효자로
4|전북특별자치도 익산시|54520-54670|무왕로 익산대로 선화로
4|전라남도 순천시|57910-58020|장명로 백강로 충효로
4|전라남도 여수시|59620-59760|시청로 여서로 망마로
6|경상북도 포항시 남구|37650-37900|시청로 포스코대로 희망대로
5|경상북도 구미시|39150-39420|송정대로 인동가산로 구미중앙로
7|경상남도 창원시 성산구|51410-51550|중앙대로 원이대로 상남로
7|경상남도 김해시|50850-51010|가야로 김해대로 내외중앙로
5|경상남도 진주시|52620-52850|동진로 진주대로 충의로
"""
_REMOTE_PLACES = """
50|제주특별자치도 제주시|63010-63350|연북로 서광로 중앙로 노형로
19|제주특별자치도 서귀포시|63500-63644|일주동로 태평로 중정로
2|경상북도 울릉군 울릉읍|40200-40240|도동길 울릉순환로 봉래길
2|인천광역시 옹진군 백령면|23100-23116|백령로 당후길
2|전라남도 신안군 흑산면|58843-58866|예리길 진리1길
"""
_HOUSES = (
    "래미안",
    "자이",
    "푸르지오",
    "힐스테이트",
    "롯데캐슬",
    "더샵",
    "아이파크",
    "한양아파트",
    "주공아파트",
    "현대빌라",
)
_MAILBOXES = ("haneul", "bada", "byeol", "namu", "dalbit", "sora", "gaeul", "bori", "mandu", "noeul", "eunha")
_MAIL_DOMAINS = ("example.com", "example.net", "example.org")
_MOBILE_FORMS = ("010-{}-{}", "010{}{}", "+82 10-{}-{}", "010 {} {}")
_HOUSES_WITHOUT_FLATS = 0.15
_SOCIAL_LOGINS = 0.25
_MOBILES = 20_000_000  # 010-0000-0000 to 010-1999-9999


@dataclass(frozen=True)
class Address:
    """Where a parcel goes."""

    zipcode: str
    address1: str
    address2: str


@dataclass(frozen=True)
class _Place:
    name: str
    first_zipcode: int
    last_zipcode: int
    roads: tuple[str, ...]


def _weighted_names() -> tuple[list[str], list[int]]:
    words = _FAMILY_NAMES.split()
    return words[::2], list(accumulate(int(weight) for weight in words[1::2]))


def _weighted_places(table: str) -> tuple[list[_Place], list[int]]:
    lines = [line.split("|") for line in table.strip().splitlines()]
    places = [
        _Place(name, int(zipcodes[:5]), int(zipcodes[6:]), tuple(roads.split()))
        for _, name, zipcodes, roads in lines
    ]
    return places, list(accumulate(int(weight) for weight, *_ in lines))


_FAMILIES, _FAMILY_WEIGHTS = _weighted_names()
_GIVEN = _GIVEN_NAMES.split()
_MAINLAND, _MAINLAND_WEIGHTS = _weighted_places(_PLACES)
_ISLANDS, _ISLAND_WEIGHTS = _weighted_places(_REMOTE_PLACES)


def person(rng: Random) -> str:
    """Return a full name, the family name first."""
    return rng.choices(_FAMILIES, cum_weights=_FAMILY_WEIGHTS)[0] + rng.choice(_GIVEN)


def address(rng: Random, *, remote: bool) -> Address:
    """Return an address by road name with a zip code of its district; `remote` ones bear a region fee."""
    places, weights = (_ISLANDS, _ISLAND_WEIGHTS) if remote else (_MAINLAND, _MAINLAND_WEIGHTS)
    place = rng.choices(places, cum_weights=weights)[0]
    zipcode = rng.randint(place.first_zipcode, place.last_zipcode)
    street = f"{place.name} {rng.choice(place.roads)} {rng.randint(1, 320)}"
    return Address(f"{zipcode:05}", street, _door(rng))


def _door(rng: Random) -> str:
    if rng.random() < _HOUSES_WITHOUT_FLATS:
        return rng.choice(("", "1층", "2층", "지하 1층", "3층 303호"))
    floor, line = rng.randint(1, 25), rng.randint(1, 6)
    return f"{rng.choice(_HOUSES)} {rng.randint(101, 120)}동 {floor}{line:02}호"


def mobile(rng: Random, number: int) -> str:
    """Return the mobile number no. `number`, written as some customer would; twenty million differ."""
    # The factor is prime to the range: neighbours get distant numbers and none is given twice.
    digits = f"{number * 12_345_677 % _MOBILES:08}"
    form = rng.choices(_MOBILE_FORMS, (70, 24, 3, 3))[0]
    return form.format(digits[:4], digits[4:])


def landline(number: int) -> str:
    """Return a Seoul landline number: it takes no SMS."""
    return f"02-1000-{number % 10_000:04}"


def mailbox(rng: Random, number: int) -> str:
    """Return an e-mail address that no other number has."""
    return f"{rng.choice(_MAILBOXES)}{number}@{rng.choice(_MAIL_DOMAINS)}"


def member_id(rng: Random, number: int) -> str:
    """Return a member id that no other number has; a quarter signed up through Kakao or Naver."""
    if rng.random() < _SOCIAL_LOGINS:
        return f"{2_000_000_000 + number}@{rng.choice('kn')}"
    return f"{rng.choice(_MAILBOXES)}{number}"
