"""The contract views and their columns: what every kind of shop must offer (docs/shop-contract.md)."""

from __future__ import annotations


def _columns(words: str) -> tuple[str, ...]:
    return tuple(words.split())


CONTRACT: dict[str, tuple[str, ...]] = {
    "v_shop": _columns(
        """
        shop_no shop_name operator_email sender_email sender_phone homepage_url is_ready
        """
    ),
    "v_pg_contract": _columns("pg_contract_no pg_code merchant_id state in_use_at terminated_at termination"),
    "v_service": _columns("pg_code state in_use_at reset_at"),
    "v_switch": _columns("kind recipient channel is_on"),
    "v_credit": _columns("channel balance"),
    "v_product": _columns(
        """
        product_no product_code product_name price excluded_reason is_on_sale is_sold_out stock_quantity
        """
    ),
    "v_setting": _columns(
        """
        product_no setting_no has_discount unit is_per_piece threshold waives_region_fee
        """
    ),
    "v_setting_step": _columns("setting_no from_round discount"),
    "v_shipping": _columns("base_fee free_over"),
    "v_region_fee": _columns("zipcode_from zipcode_to extra_fee"),
    "v_card": _columns(
        """
        card_id member_id pg_code billing_key customer_key card_company masked_number registered_at
        """
    ),
    "v_subscription": _columns(
        """
        subscription_id member_id state pg_code card_id backup_card_id buyer_name buyer_email
        buyer_phone member_name member_email member_phone is_withdrawn receiver_name receiver_zipcode
        receiver_address1 receiver_address2 receiver_phone shipping_message created_at terminated_at
        terminated_reason
        """
    ),
    "v_item": _columns(
        """
        item_id subscription_id product_no variants_code product_name option_value quantity
        applied_price option_price shipping cycle start_date round_no max_rounds state delivery_on
        pay_on terminated_at
        """
    ),
    "v_consent": _columns("item_id unit_price agreed_at"),
    "v_order": _columns("order_id subscription_id delivery_on round_no amount_krw pg_code pg_tid paid_at"),
    "v_order_line": _columns(
        """
        order_id line_no item_id round_no unit_price quantity subscription_id delivery_on paid_at
        """
    ),
}
